"""What programs use: agents by signed requests, people by personal tokens."""
