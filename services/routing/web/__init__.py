"""The agencies' door: an API for programs and pages for people, each key bound to one agency."""

from services.routing.web.app import create_web

__all__ = ["create_web"]
