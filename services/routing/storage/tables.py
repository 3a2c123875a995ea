"""Routing's own tables beside the ledgers. The history of their shape is in migrations/."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import sqlalchemy as sa

from shared.database import Instant, Json
from shared.database.sealing import SealedJson
from shared.identity import audit, keys
from shared.messaging.tables import Ledgers

MIGRATIONS: Final = Path(__file__).parent / "migrations"

metadata = sa.MetaData()
Ledgers.define(metadata)
keys.define(metadata)
audit.define(metadata)

cases = sa.Table(
    "cases",
    metadata,
    sa.Column("dossier", sa.Text, primary_key=True),
    sa.Column("procedure", sa.Text, nullable=False),
    sa.Column("procedure_name", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("office", sa.Text, nullable=False),
    sa.Column("office_name", sa.Text, nullable=False),
    sa.Column("territory", sa.Text, nullable=False),
    sa.Column("branches", Json(), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("form", SealedJson, nullable=False),
    # Fields that the desk has corrected, and when it last did.
    sa.Column("corrected", Json()),
    sa.Column("papers", Json(), nullable=False),
    sa.Column("opened_at", Instant(), nullable=False),
    sa.Column("promised_at", Instant(), nullable=False),
    sa.Column("due_at", Instant(), nullable=False),
    sa.Column("rounds", sa.Integer, nullable=False),
    sa.Column("waiting_papers", sa.Boolean, nullable=False),
    sa.Column("respond_by", Instant()),
    sa.Column("extensions", sa.Integer, nullable=False),
    sa.Column("outside_since", Instant()),
    sa.Column("dates_owed", sa.Integer, nullable=False),
    sa.Column("alarm_due_at", Instant()),
    sa.Column("near_day_at", Instant()),
    sa.Column("near_hours_at", Instant()),
    sa.Column("missed", sa.Boolean, nullable=False),
    # When the city apologises by itself for the date that was missed.
    sa.Column("apology_at", Instant()),
    sa.Column("next_at", Instant()),
    sa.Column("closed_at", Instant()),
    # How it was filed; null in cases of before it was kept.
    sa.Column("channel", sa.Text),
)

tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("dossier", sa.Text, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("agency", sa.Text, nullable=False),
    sa.Column("agency_name", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("opened_at", Instant(), nullable=False),
    sa.Column("due_at", Instant()),
    sa.Column("near_day_at", Instant()),
    sa.Column("near_hours_at", Instant()),
    sa.Column("missed", sa.Boolean, nullable=False),
    sa.Column("next_at", Instant()),
    sa.Column("taken_at", Instant()),
    sa.Column("officer", sa.Text),
    sa.Column("paused_at", Instant()),
    sa.Column("asked", sa.Boolean, nullable=False),
    sa.Column("pending", Json()),
    sa.Column("extensions", sa.Integer, nullable=False),
    # Until when its agency asks for time, while the head has not decided.
    sa.Column("wish", Instant()),
    sa.Column("closed_by", sa.Text),
    sa.Column("closed_at", Instant()),
    sa.Column("outcome", sa.Text),
    sa.Column("result_code", sa.Text),
    sa.Column("document", sa.Text),
    sa.Column("file", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("amount_vnd", sa.BigInteger),
    sa.Column("late", sa.Boolean, nullable=False),
    sa.Column("repeat_at", Instant()),
    sa.Column("repeats", sa.Integer, nullable=False, server_default="0"),
    sa.Column("fetched_at", Instant()),
    # 1 for the first task of a step; another each time that the step is handed on.
    sa.Column("number", sa.Integer, nullable=False, server_default="1"),
    # The agency that its own said is competent.
    sa.Column("named", sa.Text),
    # It was handed over as often as ever, and nobody there had it.
    sa.Column("expired_at", Instant()),
    # So many extra verifications its agency opened; and whether it was sent back since: it counts no more.
    sa.Column("verifications", sa.Integer, nullable=False, server_default="0"),
    sa.Column("undone", sa.Boolean, nullable=False, server_default=sa.false()),
    # The branch that its agency chose for the dossier.
    sa.Column("branch", sa.Text),
    sa.UniqueConstraint("dossier", "step", "number", name="tasks_dossier_step_number"),
)

# Each answer that was applied, by either door: a repeat gets the same reply.
answers = sa.Table(
    "answers",
    metadata,
    sa.Column("answer_id", sa.Text, primary_key=True),
    sa.Column("agency", sa.Text, primary_key=True),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("applied", sa.Boolean, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("at", Instant(), nullable=False),
    # How its agency signed it (domain/evidence.py); whether the chain of evidence has it.
    sa.Column("signature", sa.Text),
    sa.Column("sealed", sa.Boolean, nullable=False, server_default=sa.false()),
)

# Answers that came as messages and were not applied: each content under an id is told once.
refused_answers = sa.Table(
    "refused_answers",
    metadata,
    sa.Column("agency", sa.Text, primary_key=True),
    sa.Column("answer_id", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("vi", sa.Text, nullable=False),
    sa.Column("en", sa.Text, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("at", Instant(), nullable=False),
    sa.Column("sealed", sa.Boolean, nullable=False, server_default=sa.false()),
)

# Up to which position of the outbox the agencies' messages have nothing left to clear.
cleared = sa.Table(
    "cleared",
    metadata,
    sa.Column("what", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
)

# Which messages of its stream an agency was served in one piece, from first to last, and by which way:
# at the door, or by webhook, which it acknowledged.
fetches = sa.Table(
    "fetches",
    metadata,
    sa.Column("agency", sa.Text, primary_key=True),
    sa.Column("first", sa.BigInteger, primary_key=True),
    sa.Column("last", sa.BigInteger, primary_key=True),
    sa.Column("at", Instant(), nullable=False),
    sa.Column("way", sa.Text, nullable=False, server_default="door"),
    sa.Column("sealed", sa.Boolean, nullable=False, server_default=sa.false()),
)

# When its agency first and last opened a task, on its page or by itself at the door.
looks = sa.Table(
    "looks",
    metadata,
    sa.Column("task", sa.Text, primary_key=True),
    sa.Column("first_at", Instant(), nullable=False),
    sa.Column("last_at", Instant(), nullable=False),
)

# Staff addresses of an agency: theirs, no citizens' contacts. When it next has its list as mail.
agency_mail = sa.Table(
    "agency_mail",
    metadata,
    sa.Column("agency", sa.Text, primary_key=True),
    sa.Column("addresses", Json(), nullable=False),
    sa.Column("next_at", Instant(), nullable=False),
)

# What an agency and the city differ in of the messages of a local day (YYYY-MM-DD), and since when.
# `count` and `sha256` are the city's when they were last compared; `said_at`: when the agency last
# handed in its own. `spans` are the numbers that are in trouble.
reconciliations = sa.Table(
    "reconciliations",
    metadata,
    sa.Column("agency", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("said_at", Instant()),
    sa.Column("trouble", sa.Text),
    sa.Column("spans", Json(), nullable=False),
    sa.Column("since", Instant()),
    sa.Column("sent_again", sa.Integer, nullable=False),
    sa.Column("healed_at", Instant()),
)

# The chain of each agency: what was signed of what was handed over and answered, in order. `core` is
# what the signature is over; `message` a number of its stream, `about` a task, by which records are
# looked for; `salt` goes with the forms; `token` is room for an authority's stamp (RFC 3161).
evidence = sa.Table(
    "evidence",
    metadata,
    sa.Column("agency", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", Instant(), nullable=False),
    sa.Column("message", sa.BigInteger),
    sa.Column("about", sa.Text),
    sa.Column("core", sa.LargeBinary, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("signature", sa.LargeBinary, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("salt", sa.LargeBinary),
    sa.Column("token", sa.LargeBinary),
    sa.Column("sealed_at", Instant(), nullable=False),
)

# Where each chain ends. All messages up to the number `message` are in it.
evidence_heads = sa.Table(
    "evidence_heads",
    metadata,
    sa.Column("agency", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("message", sa.BigInteger, nullable=False),
)

# Public keys: the city's own (no owner) and those by which agencies sign their answers.
evidence_keys = sa.Table(
    "evidence_keys",
    metadata,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("public", sa.LargeBinary, nullable=False),
    sa.Column("since", Instant(), nullable=False),
    sa.Column("until", Instant()),
)

# How an agency is reached by webhook. Of its secrets only what they are drawn from stands here.
webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("agency", sa.Text, primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    # Kinds of notices that are not sent.
    sa.Column("skips", Json(), nullable=False),
    sa.Column("secrets", Json(), nullable=False),
    # Why nothing is sent, since then; null while it is.
    sa.Column("paused", sa.Text),
    sa.Column("since", Instant(), nullable=False),
    # The last number of the agency's stream that it acknowledged or that was passed over.
    sa.Column("cursor", sa.BigInteger, nullable=False),
    # Of the number after it: how often it failed, since when, why last, when it is tried again.
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("failing_since", Instant()),
    sa.Column("failure", sa.Text),
    sa.Column("next_at", Instant()),
    # Which process sends to it now, and until when it may, by the database's clock.
    sa.Column("held_by", sa.Text),
    sa.Column("held_until", Instant()),
    sa.Column("delivered", sa.BigInteger, nullable=False),
    sa.Column("failed", sa.BigInteger, nullable=False),
    sa.Column("delivered_at", Instant()),
    # A trial that was asked for, and what the last one came to.
    sa.Column("trial_asked_at", Instant()),
    sa.Column("trial_at", Instant()),
    sa.Column("trial", sa.Text),
)

# What is wished of an agency's queue on the broker; without a row the catalogue says whether it has
# one. Of passwords only the broker's own salted hashes stand here, the old one's until `old_until`.
agency_queues = sa.Table(
    "agency_queues",
    metadata,
    sa.Column("agency", sa.Text, primary_key=True),
    sa.Column("wanted", sa.Boolean, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("hash", sa.Text),
    sa.Column("old_hash", sa.Text),
    sa.Column("old_until", Instant()),
    sa.Column("paused_at", Instant()),
    sa.Column("paused_by", sa.Text),
    sa.Column("paused_why", sa.Text),
    sa.Column("wished_at", Instant(), nullable=False),
    sa.Column("wished_by", sa.Text),
    # When the broker was last as wished; null while it is not, `trouble` then says why.
    sa.Column("done_at", Instant()),
    sa.Column("trouble", sa.Text),
)

_RINGS = "next_at IS NOT NULL"
_OPEN = "state IN ('assigned', 'taken', 'paused')"
sa.Index(
    "cases_next_at",
    cases.c.next_at,
    postgresql_where=sa.text(_RINGS),
    sqlite_where=sa.text(_RINGS),
)
sa.Index(
    "tasks_next_at",
    tasks.c.next_at,
    postgresql_where=sa.text(_RINGS),
    sqlite_where=sa.text(_RINGS),
)
sa.Index(
    "tasks_open",
    tasks.c.agency,
    tasks.c.due_at,
    postgresql_where=sa.text(_OPEN),
    sqlite_where=sa.text(_OPEN),
)
_asked = tasks.c.wish.is_not(None)
sa.Index("tasks_wish", tasks.c.dossier, postgresql_where=_asked, sqlite_where=_asked)
_placing = tasks.c.kind == "placing"
sa.Index("tasks_placing", tasks.c.agency, postgresql_where=_placing, sqlite_where=_placing)
sa.Index("tasks_agency", tasks.c.agency, tasks.c.opened_at)
_expired = tasks.c.expired_at.is_not(None)
sa.Index("tasks_expired", tasks.c.agency, postgresql_where=_expired, sqlite_where=_expired)
#: The words of the indexes of what the chains of evidence do not have, so that they are used.
UNSEALED: Final = sa.text("NOT sealed")
for _table in (answers, refused_answers, fetches):
    _name = f"{_table.name}_unsealed"
    sa.Index(_name, _table.c.agency, postgresql_where=UNSEALED, sqlite_where=UNSEALED)
sa.Index("evidence_at", evidence.c.agency, evidence.c.at)
sa.Index("evidence_about", evidence.c.about)
_numbered = evidence.c.message.is_not(None)
sa.Index(
    "evidence_message",
    evidence.c.agency,
    evidence.c.message,
    postgresql_where=_numbered,
    sqlite_where=_numbered,
)
sa.Index("answers_task", answers.c.task)
sa.Index("refused_answers_task", refused_answers.c.task)
