"""Intake's tables and how dossiers are read from and written to them."""
