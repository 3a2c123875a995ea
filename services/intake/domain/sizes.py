"""How much one dossier holds: the doors take no more than its facts can carry, to the last of them.

A fact about it has its form and papers at most twice, as they came and as they are now; what routing
makes of it for an agency is hardly more. No single field is checked here (forms.py, texts.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from shared.events.envelope import MAX_BYTES
from shared.events.parts import Paper
from shared.kernel.errors import Fault

#: Papers of one dossier, all that were ever handed in.
MOST_PAPERS_HELD: Final = 100
#: Bytes of form and papers as JSON; a real dossier has some thousand.
LARGEST: Final = MAX_BYTES * 3 // 8

_size = msgspec.json.Encoder().encode


def check_size(form: Mapping[str, Any], papers: Sequence[Paper], faults: list[Fault]) -> None:
    """Note what is too much for one dossier: kinds of paper, or all of it together."""
    most = MOST_PAPERS_HELD
    if len(papers) > most:
        faults.append(
            Fault("papers", f"Hồ sơ giữ tối đa {most} loại giấy.", f"at most {most} papers")
        )
        return
    size = len(_size(form)) + len(_size(papers))
    if size > LARGEST:
        kib = LARGEST // 1024
        vi = f"Tờ khai và danh mục giấy tờ quá dài: tối đa {kib} KiB một hồ sơ."
        en = f"the form and the papers are too long together: at most {kib} KiB for one dossier"
        faults.append(Fault("form", vi, en))
