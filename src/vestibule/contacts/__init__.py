"""Contacts: the addresses and numbers of an account, shown to be its owner's by a code."""
