"""Portal sessions: opened by a sign-in, listed and revoked by their owner."""
