"""Notify's pages and API for operators; every route needs an operator's key."""

from services.notify.web.app import create_web

__all__ = ["create_web"]
