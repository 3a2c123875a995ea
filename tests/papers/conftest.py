"""Fixtures of the papers' tests."""

from __future__ import annotations

from tests.intake.conftest import desk, embedded_desk

__all__ = ["desk", "embedded_desk"]
