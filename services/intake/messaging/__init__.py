"""Intake's door to the bus: the only rooms here that know the public contract."""
