"""Intake's own tables beside the ledgers; a dossier is one row with its small lists as JSON."""

from __future__ import annotations

import sqlalchemy as sa

from shared.database.types import Instant, Json
from shared.identity import audit, keys
from shared.messaging.tables import Ledgers

metadata = sa.MetaData()
Ledgers.define(metadata)
keys.define(metadata)
audit.define(metadata)

dossiers = sa.Table(
    "dossiers",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("procedure", sa.Text, nullable=False),
    sa.Column("procedure_version", sa.Integer, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("office", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("status", sa.SmallInteger, nullable=False),
    sa.Column("standing", sa.SmallInteger, nullable=False),
    sa.Column("submitted_at", Instant(), nullable=False),
    sa.Column("received_at", Instant()),
    sa.Column("promised_at", Instant()),
    sa.Column("due_at", Instant()),
    sa.Column("owed_at", Instant()),
    sa.Column("paused_since", Instant()),
    sa.Column("finished_at", Instant()),
    sa.Column("next_at", Instant()),
    sa.Column("returned_at", Instant()),
    sa.Column("lookup_word", sa.Text, nullable=False),
    sa.Column("contact", Json(), nullable=False),
    sa.Column("searched", sa.Text, nullable=False),
    sa.Column("form", Json(), nullable=False),
    sa.Column("papers", Json(), nullable=False),
    sa.Column("branches", Json(), nullable=False),
    sa.Column("progress", Json(), nullable=False),
)
# The desk's list: newest first within an office; the second key makes pages stable.
sa.Index("dossiers_office_submitted", dossiers.c.office, dossiers.c.submitted_at, dossiers.c.code)
sa.Index("dossiers_office_received", dossiers.c.office, dossiers.c.received_at)
sa.Index(
    "dossiers_office_open_due",
    dossiers.c.office,
    dossiers.c.due_at,
    sqlite_where=dossiers.c.finished_at.is_(None),
    postgresql_where=dossiers.c.finished_at.is_(None),
)
# What the loop of things that fall due asks for; nearly every dossier has nothing of the kind.
sa.Index(
    "dossiers_next_at",
    dossiers.c.next_at,
    sqlite_where=dossiers.c.next_at.is_not(None),
    postgresql_where=dossiers.c.next_at.is_not(None),
)

counters = sa.Table(
    "counters",
    metadata,
    sa.Column("agency_id", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
)

# What was said of a dossier, once the ledgers have let go of it: for its timeline alone.
timelines = sa.Table(
    "timelines",
    metadata,
    sa.Column("dossier", sa.Text, primary_key=True),
    sa.Column("facts", sa.LargeBinary, nullable=False),
)

answers = sa.Table(
    "idempotent_answers",
    metadata,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("status", sa.SmallInteger, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("made_at", Instant(), nullable=False),
)

# How often look-ups were tried lately. Addresses are kept as keyed digests only.
guesses = sa.Table(
    "guesses",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("level", sa.Double(), nullable=False),
    sa.Column("at", Instant(), nullable=False),
    sa.Column("until", Instant(), nullable=False),
)
sa.Index("guesses_at", guesses.c.at)

# People who work here. What they may open is a list of [role, code]; of a password and of recovery
# codes only hashes are kept. `totp_last` is the last time step whose code was used.
staff = sa.Table(
    "staff",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("login", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("places", Json(), nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("must_change", sa.Boolean, nullable=False),
    sa.Column("totp", sa.Text),
    sa.Column("totp_last", sa.BigInteger, nullable=False),
    sa.Column("recovery", Json(), nullable=False),
    sa.Column("made_at", Instant(), nullable=False),
    sa.Column("disabled_at", Instant()),
)

# Who is signed in; `chosen` is where they work of several places: a code for each kind of door.
sign_ins = sa.Table(
    "sign_ins",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("made_at", Instant(), nullable=False),
    sa.Column("until", Instant(), nullable=False),
    sa.Column("chosen", Json(), nullable=False),
)
sa.Index("sign_ins_person", sign_ins.c.person)

# Who looks after a dossier: whoever took it in, until it is handed over.
custody = sa.Table(
    "custody",
    metadata,
    sa.Column("dossier", sa.Text, primary_key=True),
    sa.Column("officer", sa.Text, nullable=False),
    sa.Column("since", Instant(), nullable=False),
)
sa.Index("custody_officer", custody.c.officer)
