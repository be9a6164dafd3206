"""Activation: a ticket is issued, redeemed once, and a phone is linked."""
