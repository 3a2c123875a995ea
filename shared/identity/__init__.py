"""Who acts: keys, sessions, limits, and what each may do."""
