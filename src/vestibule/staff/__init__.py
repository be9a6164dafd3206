"""Members of staff, and what they may do for a client."""
