"""Intake's web doors: REST for programs, pages for the desk, a look-up for citizens."""

from services.intake.web.app import create_web

__all__ = ["create_web"]
