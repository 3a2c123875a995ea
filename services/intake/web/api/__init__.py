"""Intake's REST door: /api/v1, described at /openapi.json and /docs."""
