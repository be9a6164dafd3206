"""The command line: `vestibule serve`, `phone`, `init`, `account`."""
