"""Intake's own tables beside the ledgers; a dossier is one row with its small lists as JSON.

What citizens say of themselves is sealed; the names that a desk searches by lie in clear.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from shared.database.sealing import SealedBytes, SealedJson, SealedText
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
    # Since when nobody is reached here any more: phone and mailbox are erased.
    sa.Column("erased_at", Instant()),
    # When it last went to another office at a reorganisation.
    sa.Column("moved_at", Instant()),
    # Since when somebody has to call the citizen, whom no message reached.
    sa.Column("call_since", Instant()),
    # Since when an agency waits for the head's word on more time.
    sa.Column("asks_time_since", Instant()),
    sa.Column("lookup_word", SealedText, nullable=False),
    sa.Column("contact", SealedJson, nullable=False),
    sa.Column("searched", sa.Text, nullable=False),
    sa.Column("form", SealedJson, nullable=False),
    sa.Column("papers", Json(), nullable=False),
    sa.Column("branches", Json(), nullable=False),
    sa.Column("progress", SealedJson, nullable=False),
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

# Whose phone and mailbox the term has not reached yet.
_to_erase = sa.text("erased_at IS NULL AND finished_at IS NOT NULL")
sa.Index(
    "dossiers_to_erase",
    dossiers.c.finished_at,
    sqlite_where=_to_erase,
    postgresql_where=_to_erase,
)

#: Dossiers that are still somebody's work, in words that both databases hold to be those of the index.
ALIVE: Final = "status IN (1, 2, 4, 5, 6, 9)"
# The desk's lists and their counts.
sa.Index(
    "dossiers_office_alive",
    dossiers.c.office,
    dossiers.c.status,
    dossiers.c.due_at,
    dossiers.c.code,
    dossiers.c.paused_since,
    sqlite_where=sa.text(ALIVE),
    postgresql_where=sa.text(ALIVE),
)
sa.Index(
    "dossiers_office_call",
    dossiers.c.office,
    dossiers.c.call_since,
    sqlite_where=dossiers.c.call_since.is_not(None),
    postgresql_where=dossiers.c.call_since.is_not(None),
)

sa.Index(
    "dossiers_office_asks_time",
    dossiers.c.office,
    dossiers.c.asks_time_since,
    sqlite_where=dossiers.c.asks_time_since.is_not(None),
    postgresql_where=dossiers.c.asks_time_since.is_not(None),
)

# What dossiers are found by: names without marks from each of their words on, parcels, and keyed
# digests of phones, ID numbers and days of birth. The first letter says which (storage/search.py).
# Byte order: ranges are cut by us, and a database's own order would put them elsewhere.
_Word = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
search_words = sa.Table(
    "search_words",
    metadata,
    sa.Column("dossier", sa.Text, primary_key=True),
    sa.Column("word", _Word, primary_key=True),
    sa.Column("office", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
sa.Index(
    "search_words_office_word",
    search_words.c.office,
    search_words.c.word,
    search_words.c.dossier,
)

# How far old dossiers have been made findable, and by which key; one row.
search_state = sa.Table(
    "search_state",
    metadata,
    sa.Column("key_mark", sa.Text, primary_key=True),
    sa.Column("reached", sa.Text, nullable=False),
    sa.Column("done", sa.Boolean, nullable=False),
)

# What was looked for lately, so that no address holds a name; gone after an hour or two.
searches = sa.Table(
    "searches",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("office", sa.Text, nullable=False),
    sa.Column("words", SealedText, nullable=False),
    sa.Column("made_at", Instant(), nullable=False),
)
sa.Index("searches_made_at", searches.c.made_at)

# What was posted, for the list that goes to the post office with it; whose it is, the dossier knows.
postings = sa.Table(
    "postings",
    metadata,
    sa.Column("dossier", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("office", sa.Text, nullable=False),
    sa.Column("posted_at", Instant(), nullable=False),
    sa.Column("carrier", sa.Text),
    sa.Column("waybill", sa.Text),
)
sa.Index("postings_office_at", postings.c.office, postings.c.posted_at)

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
    sa.Column("facts", SealedBytes, nullable=False),
)

answers = sa.Table(
    "idempotent_answers",
    metadata,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("status", sa.SmallInteger, nullable=False),
    sa.Column("answer", SealedText, nullable=False),
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

# A file of many submissions while it is worked through, and a day longer.
imports = sa.Table(
    "imports",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("office", sa.Text, nullable=False),
    sa.Column("token", sa.Text, nullable=False),
    sa.Column("procedure", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("faults", Json(), nullable=False),
    # Titles of columns that whoever handed it in has left out.
    sa.Column("ignored", Json(), nullable=False, server_default=sa.text("'[]'")),
    sa.Column("rows", sa.Integer),
    sa.Column("made_at", Instant(), nullable=False),
    sa.Column("ended_at", Instant()),
    sa.Column("leased_until", Instant()),
    sa.UniqueConstraint("office", "token", name="imports_token"),
)
# Apart, so that to write how far it has come never writes the file again.
import_files = sa.Table(
    "import_files",
    metadata,
    sa.Column("import_id", sa.Text, primary_key=True),
    sa.Column("content", SealedBytes, nullable=False),
)
import_answers = sa.Table(
    "import_answers",
    metadata,
    sa.Column("import_id", sa.Text, primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("dossier", sa.Text),
    sa.Column("reasons", Json(), nullable=False),
)
# Which of an office's own numbers stand for which dossier, for ever: a file is never added twice.
imported = sa.Table(
    "imported_numbers",
    metadata,
    sa.Column("office", sa.Text, primary_key=True),
    sa.Column("number", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("dossier", sa.Text, nullable=False),
    sa.Column("import_id", sa.Text, nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("at", Instant(), nullable=False),
)

# What is typed into a form and not yet filed; gone a day after it was typed last.
drafts = sa.Table(
    "drafts",
    metadata,
    sa.Column("office", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("procedure", sa.Text, nullable=False),
    sa.Column("officer", sa.Text, nullable=False),
    sa.Column("page", sa.Text, nullable=False),
    sa.Column("saves", sa.Integer, nullable=False),
    sa.Column("inputs", SealedJson, nullable=False),
    sa.Column("saved_at", Instant(), nullable=False),
)
sa.Index("drafts_saved_at", drafts.c.saved_at)

# Slips that a desk gave out while its line was away. Two browsers copied from one another may have
# given out the same number: the word tells whose it is.
slips = sa.Table(
    "slips",
    metadata,
    sa.Column("dossier", sa.Text, primary_key=True),
    sa.Column("office", sa.Text, nullable=False),
    sa.Column("token", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("word", SealedText, nullable=False),
    sa.Column("taken_at", Instant()),
    sa.Column("sent_at", Instant(), nullable=False),
)
sa.Index("slips_number", slips.c.number)
sa.Index("slips_form", slips.c.office, slips.c.token, unique=True)

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
    # Who this is at the city's own sign-in: its issuer and the subject there.
    sa.Column("subject", sa.Text),
)
sa.Index("staff_subject", staff.c.subject, unique=True)

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

# Files of dossiers: scans and results. Their bytes lie elsewhere (folder.py), under a key made of
# digest and id; of a file that was withdrawn or refused only this row is left.
files = sa.Table(
    "files",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("dossier", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("why", sa.Text),
    sa.Column("added_at", Instant(), nullable=False),
    sa.Column("added_by", sa.Text, nullable=False),
    sa.Column("agency", sa.Text),
    sa.Column("task", sa.Text),
    sa.Column("withdrawn_at", Instant()),
    sa.Column("reason", sa.Text),
)
sa.Index("files_dossier", files.c.dossier, files.c.added_at)
sa.Index(
    "files_held",
    files.c.added_at,
    sqlite_where=sa.text("state = 'held'"),
    postgresql_where=sa.text("state = 'held'"),
)

# The code that was sent to a citizen who wants to read a result; of it only a keyed digest is kept.
file_codes = sa.Table(
    "file_codes",
    metadata,
    sa.Column("dossier", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("until", Instant(), nullable=False),
)

# Numbers and mailboxes at which nothing arrives, by keyed digests: a desk is warned of them.
unreached = sa.Table(
    "unreached",
    metadata,
    sa.Column("address", sa.Text, primary_key=True),
    sa.Column("since", Instant(), nullable=False),
)
sa.Index("unreached_since", unreached.c.since)

# What was erased of whom: by which rule (a term, or asked for), and how many rows of what.
erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column(
        "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True,
        autoincrement=True,
    ),
    sa.Column("dossier", sa.Text, nullable=False),
    sa.Column("at", Instant(), nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("counts", Json(), nullable=False),
    sa.Column("who", sa.Text, nullable=False),
)  # fmt: skip
sa.Index("erasures_dossier", erasures.c.dossier)
