"""Getting back in, and moving to a new phone."""
