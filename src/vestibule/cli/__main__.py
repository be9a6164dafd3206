"""Runs the command line: `python -m vestibule.cli`."""

from vestibule.cli import main

if __name__ == "__main__":
    main()
