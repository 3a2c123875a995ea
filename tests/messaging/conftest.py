"""Fixtures of the runtime's tests that look at statements."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
import sqlalchemy as sa


@pytest.fixture
def statements():
    """A context that lists the SQL a store sends meanwhile."""

    @contextmanager
    def watch(store):
        asked: list[str] = []

        def note(_connection, _cursor, statement, *_):
            asked.append(statement)

        sa.event.listen(store.engine, "before_cursor_execute", note)
        try:
            yield asked
        finally:
            sa.event.remove(store.engine, "before_cursor_execute", note)

    return watch
