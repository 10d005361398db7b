"""What differs between operating systems, behind the same functions in each module."""
