"""Adapters to what lies outside: web push and the wake-up bus over the network."""
