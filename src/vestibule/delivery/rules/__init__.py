"""Who may fetch statements, and how. Pure: no I/O."""
