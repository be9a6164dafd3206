"""Sign-ins asked for by other programs: terminals and second apps."""
