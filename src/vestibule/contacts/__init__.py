"""Where an account's owner is reached: mail addresses and telephone numbers."""
