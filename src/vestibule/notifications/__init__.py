"""Nudges: telling a phone that something waits for it."""
