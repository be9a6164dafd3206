"""Programs that sign in by the house: terminals, and in time whatever else relies on it."""
