"""Files of a dossier: taken in, read, withdrawn, looked at again where they are held, swept.

Bytes come first and the row after: a crash between them leaves bytes that nothing serves and the
sweeper finds. Who may is decided here by office and agency; what the doors show is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

import sqlalchemy as sa

from services.intake.domain.files import (
    DRAFT_FOR,
    LEFT_OVER_AFTER,
    MIB,
    MOST_FILES,
    File,
    FileRefused,
    Judged,
    Kind,
    Limits,
    no_such_file,
    tidy_name,
)
from services.intake.domain.texts import check_text
from services.intake.judging.content import media_type
from services.intake.judging.viruses import Scanner, scanner_at
from services.intake.storage import files
from services.intake.storage.dossiers import Dossiers
from services.intake.storage.folder import Counting, FileStore, Folder, Overfull
from shared.database import Store, UnitOfWork
from shared.events.intake import FileAdded, FileWithdrawn
from shared.events.parts import Agency
from shared.events.types import WRITTEN_ITEM
from shared.kernel.actor import CLOCK, Actor
from shared.kernel.errors import Fault, InvalidInput, NotFound, Refused
from shared.log import get
from shared.messaging.prune import Cleared, cutoff, in_batches
from shared.settings import Settings

_SWEPT_AT_ONCE: Final = 500
_log = get("files")


@dataclass(frozen=True, slots=True)
class FileRoom:
    """Where files are kept, how large they may be, and who is asked whether one is malware."""

    kept: FileStore
    limits: Limits
    scanner: Scanner


def file_room(settings: Settings) -> FileRoom:
    """The room that the settings describe."""
    limits = Limits(settings.file_mb * MIB, settings.dossier_files_mb * MIB)
    return FileRoom(Folder(settings.data_dir / "files"), limits, scanner_at(settings.clamd))


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that somebody hands in: bytes, the name they call it by, and for which dossier.

    `office`: only for a dossier of this office. `agency` and `task`: of a result.
    """

    source: IO[bytes] = field(repr=False)
    name: str | None = field(repr=False)
    dossier: str
    actor: Actor
    office: str | None = None
    agency: Agency | None = None
    task: str | None = None

    @property
    def kind(self) -> Kind:
        """What the file is to the dossier."""
        return "scan" if self.agency is None else "result"


def attach(store: Store, room: FileRoom, arrival: Arrival) -> File:
    """Judge the file and keep it with the dossier; the very same bytes again are the same file.

    FileRefused where it is not taken: then nothing of it is left but, of malware, its digest.
    """
    file_id, name = store.ids.new(), tidy_name(arrival.name)
    counting = Counting(arrival.source, room.limits.file)
    try:
        with room.kept.arriving(counting) as path:  # type: ignore[arg-type]  # it reads
            judged = _judge(room, path, counting, name)
            file = _new(store, arrival, file_id, name, judged)
            if file.state != "refused":
                room.kept.keep(path, file.key)
    except Overfull:
        raise FileRefused("too_large", room.limits, name) from None
    kept = _write(store, room, arrival, file)
    if kept.state == "refused":
        raise FileRefused("infected", room.limits, name)
    return kept


def _judge(room: FileRoom, path: Path, counting: Counting, name: str) -> Judged:
    if counting.size == 0:
        raise FileRefused("empty", room.limits, name)
    media, why = media_type(path)
    if media is None:
        raise FileRefused(why or "broken", room.limits, name)
    answer = room.scanner.scan(path)
    held = None if answer == "clean" else answer
    return Judged(media, counting.sha256, counting.size, held)


def _new(store: Store, arrival: Arrival, file_id: str, name: str, judged: Judged) -> File:
    infected = judged.held == "infected"
    return File(
        id=file_id,
        dossier=arrival.dossier,
        kind=arrival.kind,
        name="" if infected else name,
        media_type=judged.media_type,
        size=judged.size,
        sha256=judged.sha256,
        state="refused" if infected else "held" if judged.held else "clean",
        why=judged.held,
        added_at=store.clock.now(),
        added_by=str(arrival.actor),
        agency=arrival.agency.code if arrival.agency else None,
        task=arrival.task,
    )


def _write(store: Store, room: FileRoom, arrival: Arrival, file: File) -> File:
    """The row and the fact; bytes that get no row for a reason of ours go at once."""
    try:
        with store.begin(arrival.actor) as uow:
            kept = _place(uow, room.limits, arrival, file)
    except Refused:
        room.kept.delete(file.key)
        raise
    if kept.id != file.id:
        room.kept.delete(file.key)
    return kept


def _place(uow: UnitOfWork, limits: Limits, arrival: Arrival, file: File) -> File:
    may_attach(uow, arrival.dossier, arrival.office)
    there = files.of_dossier(uow.connection, file.dossier)
    kept = [each for each in there if each.standing in ("clean", "held")]
    for each in there if file.state == "refused" else kept:
        same = (each.sha256, each.kind, each.task) == (file.sha256, file.kind, file.task)
        if same and each.withdrawn_at is None:
            return each
    if file.state == "refused":
        files.put(uow, file)
        return file
    if len(kept) >= MOST_FILES or sum(each.size for each in kept) + file.size > limits.dossier:
        raise FileRefused("dossier_full", limits, file.name)
    files.put(uow, file)
    uow.record(
        FileAdded(
            dossier=file.dossier,
            file=file.id,
            kind=file.kind,
            media_type=file.media_type,
            size=file.size,
            sha256=file.sha256,
            held=file.state == "held",
            agency=arrival.agency,
            added_at=uow.now,
        )
    )
    return file


def may_attach(uow: UnitOfWork, code: str, office: str | None) -> None:
    """NotFound where there is no such dossier, or it is another office's; it is locked."""
    dossier = uow.get(Dossiers).get(code)
    if dossier is None or (office is not None and dossier.office != office):
        raise NotFound("there is no such dossier", vi="Không tìm thấy hồ sơ này.")


def opened(
    connection: sa.Connection, room: FileRoom, dossier: str, file_id: str
) -> tuple[File, BinaryIO]:
    """A file of this dossier that may be served, open; NotFound for every other."""
    file = files.find(connection, dossier, file_id)
    if file is None or not file.served:
        raise no_such_file()
    try:
        return file, room.kept.open(file.key)
    except FileNotFoundError:
        _log.error("files.lost", file=file.id, dossier=file.dossier)
        raise no_such_file() from None


def withdraw(
    store: Store, room: FileRoom, code: str, office: str, file_id: str, *, reason: str, actor: Actor
) -> File:
    """Take a file away that does not belong there; its digest and the reason stay."""
    faults: list[Fault] = []
    why = check_text(reason, "reason", faults, longest=WRITTEN_ITEM)
    if why is None:
        raise InvalidInput(faults)
    with store.begin(actor) as uow:
        may_attach(uow, code, office)
        file = files.find(uow.connection, code, file_id, lock=True)
        if file is None or file.standing not in ("clean", "held"):
            raise no_such_file()
        gone = _withdrawn(uow, file, why)
    room.kept.delete(gone.key)
    return gone


def _withdrawn(uow: UnitOfWork, file: File, reason: str, **changes: Any) -> File:
    gone = replace(file, name="", withdrawn_at=uow.now, reason=reason, **changes)
    files.put(uow, gone)
    uow.record(
        FileWithdrawn(
            dossier=file.dossier,
            file=file.id,
            sha256=file.sha256,
            reason=reason,
            withdrawn_at=uow.now,
        )
    )
    return gone


def look_again(store: Store, room: FileRoom, most: int = 20) -> int:
    """Ask about files that are held; how many have their answer now."""
    with store.read() as connection:
        waiting = files.held(connection, most)
    done = 0
    for file in waiting:
        answer = _answer(room, file)
        if answer == "unscanned":
            break  # it is still away: the others wait as well
        with store.begin(CLOCK) as uow:
            now = files.find(uow.connection, file.dossier, file.id, lock=True)
            if now is None or now.standing != "held":
                continue
            if answer == "clean":
                files.put(uow, replace(now, state="clean", why=None))
            else:
                _withdrawn(uow, now, "Phát hiện mã độc", state="refused", why="infected")
        if answer == "infected":
            room.kept.delete(file.key)
        done += 1
    return done


def _answer(room: FileRoom, file: File) -> str:
    try:
        with room.kept.open(file.key) as stored, room.kept.arriving(stored) as path:
            return room.scanner.scan(path)
    except FileNotFoundError:
        _log.error("files.lost", file=file.id, dossier=file.dossier)
        return "unscanned"


def clear(store: Store, settings: Settings, *, dry: bool) -> Iterator[Cleared]:
    """Files of dossiers whose term is over, codes that are over, and bytes that nobody knows."""
    room, now = file_room(settings), store.clock.now()
    yield from in_batches(
        store, "file codes", lambda c, n: files.old_codes(c, now, n), files.forget_codes, dry=dry
    )
    if before := cutoff(now, settings.keep_files_days):
        yield from in_batches(
            store,
            "files",
            lambda connection, limit: files.of_ended(connection, before, limit),
            partial(_forget, room),
            dry=dry,
        )
    yield from _sweep(store, room, now, dry=dry)


def _forget(room: FileRoom, connection: sa.Connection, found: Sequence[Any]) -> int:
    """Bytes, then rows: of what is rolled back a row is left, which is found again."""
    for file in found:
        room.kept.delete(file.key)
    return files.forget(connection, found)


def _sweep(store: Store, room: FileRoom, now: datetime, *, dry: bool) -> Iterator[Cleared]:
    if not dry and (left := room.kept.clear_drafts(now - DRAFT_FOR)):
        yield Cleared("files left over", left)
    keys = room.kept.old(now - LEFT_OVER_AFTER)
    while some := list(islice(keys, _SWEPT_AT_ONCE)):
        ids = {key: key.partition("-")[2] for key in some}
        with store.read() as connection:
            there = files.known(connection, list(ids.values()))
        orphans = [key for key, file_id in ids.items() if file_id not in there]
        for key in orphans if not dry else ():
            room.kept.delete(key)
        if orphans:
            yield Cleared("files left over", len(orphans))
