"""Intake: the desks of the one-stop offices, from a citizen's papers to a numbered receipt."""
