"""Intake's pages: the desk's, and the citizen's look-up. Vietnamese; they work without scripts."""
