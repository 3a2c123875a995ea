"""Routing's door to the bus: the only place in this service that knows the public contract."""
