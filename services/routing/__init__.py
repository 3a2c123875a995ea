"""Routing: carries a received dossier through the agencies that must act on it."""
