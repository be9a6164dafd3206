"""Browser captures made safe: one table of rules, what is read, kept and taken out. No I/O."""
