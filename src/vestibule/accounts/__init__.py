"""Accounts: who may sign in, and how a password is checked."""
