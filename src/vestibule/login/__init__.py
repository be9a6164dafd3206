"""Sign-in: the whole trip of one LoginAttempt, by push or by response."""
