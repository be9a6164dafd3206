"""Vestibule: sign in to a portal and approve it on your phone."""

__version__ = "0.1.0"
