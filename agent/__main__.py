"""`python -m agent` is the command `recordwarden`."""

from agent.cli import main

if __name__ == "__main__":
    main()
