"""What holds of the templates of all pages."""

from __future__ import annotations

import re

from shared.settings import PROJECT

_NATIVE = re.compile(
    r"""(?:type=|lt\.field\([^)]*)["'](?:date|datetime-local|month|week|time)["']"""
)


def test_no_input_shows_a_day_in_the_browser_s_language():
    """A browser in English shows month before day; ours are texts that the server reads."""
    templates = [*PROJECT.glob("s*/**/templates/**/*.html")]
    assert len(templates) > 30
    assert [each.name for each in templates if _NATIVE.search(each.read_text())] == []
