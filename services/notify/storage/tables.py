"""The tables of notify. Contacts and messages hold personal data: nothing here is ever logged."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from services.notify.domain.states import State
from shared.database.sealing import Marked, SealedJson, SealedText
from shared.database.types import Instant, Json
from shared.identity import audit, keys
from shared.messaging.tables import Ledgers

metadata = sa.MetaData()
Ledgers.define(metadata)
keys.define(metadata)
audit.define(metadata)

# What notify remembers of a dossier, learnt from facts.
cases = sa.Table(
    "cases",
    metadata,
    sa.Column("dossier", sa.Text, primary_key=True),
    sa.Column("procedure", sa.Text, nullable=False),
    sa.Column("procedure_name", sa.Text, nullable=False),
    sa.Column("short_name", sa.Text, nullable=False),
    sa.Column("office", sa.Text, nullable=False),
    sa.Column("office_name", sa.Text, nullable=False),
    sa.Column("due_at", Instant()),
    sa.Column("ended", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("channel", sa.Text, nullable=False, server_default=""),
    sa.Column("closed", sa.Boolean, nullable=False, server_default=sa.false()),
)

contacts = sa.Table(
    "contacts",
    metadata,
    sa.Column("dossier", sa.Text, primary_key=True),
    sa.Column("name", SealedText, nullable=False),
    sa.Column("phone", SealedText),
    sa.Column("email", SealedText),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("consent_sms", sa.Boolean, nullable=False),
    sa.Column("consent_email", sa.Boolean, nullable=False),
    sa.Column("lookup_word", SealedText, nullable=False),
    sa.Column("given_at", Instant(), nullable=False),
    sa.Column("first", sa.Text),
    # Who is told in the applicant's place.
    sa.Column("representative", SealedText),
    # What the two are found by.
    sa.Column("phone_mark", Marked("phone")),
    sa.Column("email_mark", Marked("email")),
)
sa.Index("contacts_phone_mark", contacts.c.phone_mark)
sa.Index("contacts_email_mark", contacts.c.email_mark)

# People beside the applicant who are told of some moments.
parties = sa.Table(
    "parties",
    metadata,
    sa.Column("dossier", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, primary_key=True),
    sa.Column("name", SealedText, nullable=False),
    sa.Column("phone", SealedText),
    sa.Column("email", SealedText),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("consent_sms", sa.Boolean, nullable=False),
    sa.Column("consent_email", sa.Boolean, nullable=False),
    sa.Column("told", Json(), nullable=False),
    sa.Column("given_at", Instant(), nullable=False),
    sa.Column("first", sa.Text),
    sa.Column("phone_mark", Marked("phone")),
    sa.Column("email_mark", Marked("email")),
)
sa.Index("parties_phone_mark", parties.c.phone_mark)
sa.Index("parties_email_mark", parties.c.email_mark)

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("fact_id", sa.Text, nullable=False),
    sa.Column("moment", sa.Text, nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("dossier", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("made_at", Instant(), nullable=False),
    sa.Column("changed_at", Instant(), nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("recipient", SealedText, nullable=False),
    sa.Column("subject", SealedText, nullable=False),
    sa.Column("body", SealedText, nullable=False),
    sa.Column("encoding", sa.Text, nullable=False),
    sa.Column("parts", sa.Integer, nullable=False),
    sa.Column("template_version", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_at", Instant()),
    sa.Column("reason", sa.Text),
    sa.Column("sent_at", Instant()),
    sa.Column("told_unreachable", sa.Boolean, nullable=False),
    sa.Column("about", SealedJson),
    # Who is sending it now, and until when nobody else may take it over.
    sa.Column("sender", sa.Text),
    sa.Column("lease_until", Instant()),
    # Since when its text is going out; until then it was only claimed.
    sa.Column("text_out_at", Instant()),
    # Who was given it last, and when a receipt said that it arrived.
    sa.Column("provider", sa.Text, nullable=False, server_default=""),
    sa.Column("delivered_at", Instant()),
    # Which of how many ways it is, what round or step it is about, and when it is of no use any more.
    sa.Column("rung", sa.SmallInteger, nullable=False, server_default="1"),
    sa.Column("rungs", sa.SmallInteger, nullable=False, server_default="1"),
    sa.Column("matter", sa.Text, nullable=False, server_default=""),
    sa.Column("good_until", Instant()),
    # What the address is found by; none where it was written in clear, by a version before.
    sa.Column("recipient_mark", Marked("recipient")),
    # One message per fact, moment, person and channel, whatever happens.
    sa.UniqueConstraint("fact_id", "moment", "person", "channel", name="messages_once"),
)

_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Each time that a message was handed to a provider, and what became of it.
attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("id", _Number, primary_key=True, autoincrement=True),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("at", Instant(), nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    # What it cost, and for whose dossiers: kept here, whatever becomes of the message and its dossier.
    sa.Column("channel", sa.Text, nullable=False, server_default=""),
    sa.Column("office", sa.Text, nullable=False, server_default=""),
    sa.Column("parts", sa.Integer, nullable=False, server_default="0"),
)
sa.Index("attempts_message", attempts.c.message)
sa.Index("attempts_at", attempts.c.at)

# What a provider has taken, part by part, by the name that it gave it.
tickets = sa.Table(
    "tickets",
    metadata,
    sa.Column("id", _Number, primary_key=True, autoincrement=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("given", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("part", sa.Integer, nullable=False),
    sa.Column("parts", sa.Integer, nullable=False),
    sa.Column("fate", sa.Integer, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("taken_at", Instant(), nullable=False),
    sa.Column("changed_at", Instant(), nullable=False),
    sa.Column("asked", sa.Integer, nullable=False),
    # When the provider is asked what became of it; empty once it is known, or asked for too long.
    sa.Column("ask_at", Instant()),
)
sa.Index("tickets_reference", tickets.c.reference, tickets.c.provider)
sa.Index("tickets_message", tickets.c.message)
_to_ask = tickets.c.ask_at.is_not(None)
sa.Index("tickets_asking", tickets.c.ask_at, postgresql_where=_to_ask, sqlite_where=_to_ask)

# Receipts for which no ticket is known yet: who was handed the letter may not have written it.
strays = sa.Table(
    "strays",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("names", Json(), nullable=False),
    sa.Column("fate", sa.Integer, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("recipient", SealedText, nullable=False),
    sa.Column("number", sa.Integer),
    sa.Column("heard_at", Instant(), nullable=False),
    sa.Column("looked", sa.Integer, nullable=False),
    sa.Column("look_at", Instant(), nullable=False),
)
sa.Index("strays_look_at", strays.c.look_at)

# The numbers and mailboxes to which their owners want nothing sent, by their marks: a stop holds also
# when everything else about its owner was erased, and nobody can read then whose it is.
stops = sa.Table(
    "stops",
    metadata,
    sa.Column("address", Marked("shown"), primary_key=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("at", Instant(), nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),  # sms, email, or operator
    sa.Column("shown", SealedText),  # the address, until it is erased
)

# What citizens have written, each text once; it is emptied when it was acted on.
heard = sa.Table(
    "heard",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("sender", SealedText, nullable=False),
    sa.Column("text", SealedText, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("parts", sa.Integer, nullable=False),
    sa.Column("part", sa.Integer, nullable=False),
    sa.Column("heard_at", Instant(), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    # When it is looked at; empty once it was acted on.
    sa.Column("next_at", Instant()),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("sender_mark", Marked("sender")),
)
sa.Index("heard_sender", heard.c.sender_mark, heard.c.heard_at)
_open = heard.c.next_at.is_not(None)
sa.Index("heard_next", heard.c.next_at, postgresql_where=_open, sqlite_where=_open)

# How many messages an address was given on a day; what is older than a day is cleared.
told_days = sa.Table(
    "told_days",
    metadata,
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("address", sa.Text, primary_key=True),  # a digest of it
    sa.Column("count", sa.Integer, nullable=False),
)

# Mails that came in at the return path, by a digest: which letter, and what became of it. None of it
# says whose.
bounces = sa.Table(
    "bounces",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("at", Instant(), nullable=False),
    sa.Column("fate", sa.Text, nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
)
sa.Index("bounces_at", bounces.c.at)

# What was erased of whom: by which rule (a term, or asked for), and how many rows of what.
erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column("id", _Number, primary_key=True, autoincrement=True),
    sa.Column("dossier", sa.Text, nullable=False),
    sa.Column("at", Instant(), nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("counts", Json(), nullable=False),
    sa.Column("who", sa.Text, nullable=False),
)
sa.Index("erasures_dossier", erasures.c.dossier)

# The processes that send, each under a random name; who stands still is dead.
processes = sa.Table(
    "processes",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("beats", sa.BigInteger, nullable=False),
    sa.Column("beat_at", Instant(), nullable=False),
)


def in_states(*states: State) -> sa.ColumnElement[bool]:
    """Whether a message is in one of these states.

    Written out, not bound: only then do the planners see that a partial index fits. An IN of
    SQLAlchemy's own: any other truth is asked as `= 1` on SQLite, and no index fits that.
    """
    return messages.c.state.in_([sa.literal_column(f"'{state.value}'") for state in states])


# The states that have an index of their own, in the groups in which they have it.
GROUPS: list[tuple[State, ...]] = []


def found_by_index(states: Collection[State]) -> sa.ColumnElement[bool]:
    """As `in_states`, and in the words of the index that has them, if one has.

    SQLite uses a partial index only where its very condition stands in the query.
    """
    wanted = in_states(*states)
    group = next((each for each in GROUPS if set(states) <= set(each)), None)
    return wanted if group is None else sa.and_(in_states(*group), wanted)


def _partial(name: str, states: tuple[State, ...], *columns: str) -> None:
    GROUPS.append(states)
    only = in_states(*states)
    picked = [messages.c[column] for column in columns]
    sa.Index(name, *picked, postgresql_where=only, sqlite_where=only)


sa.Index("messages_dossier", messages.c.dossier)
sa.Index("messages_newest", messages.c.made_at, messages.c.id)
# Small indexes over what is not finished, however many messages were ever sent.
_partial("messages_due", (State.QUEUED, State.FAILED), "channel", "next_at", "id")
_partial("messages_sending", (State.SENDING,), "channel", "lease_until")
_partial("messages_awaiting", (State.AWAITING_CONTACT,), "made_at")
_partial("messages_stuck", (State.UNCERTAIN, State.UNDELIVERABLE), "state", "changed_at")
_partial("messages_held", (State.HELD,), "channel", "next_at", "id")
_partial("messages_standby", (State.STANDBY,), "next_at", "id")
_partial("messages_to_call", (State.TO_CALL,), "changed_at")
_partial("messages_dropped", (State.SPARED, State.CANCELLED, State.RECALLED), "state", "made_at")
_partial("messages_opted_out", (State.OPTED_OUT,), "made_at")
# What was sent to a number: asked when its owner writes to us.
_texts = messages.c.channel == sa.literal_column("'sms'")
sa.Index(
    "messages_marked",
    messages.c.recipient_mark,
    messages.c.made_at,
    postgresql_where=_texts,
    sqlite_where=_texts,
)
# As long as there are some that a version before has written in clear.
_in_clear = sa.and_(_texts, messages.c.recipient_mark.is_(None))
sa.Index(
    "messages_phone",
    messages.c.recipient,
    messages.c.made_at,
    postgresql_where=_in_clear,
    sqlite_where=_in_clear,
)
_partial("messages_skipped", (State.SKIPPED,), "made_at")


def sent_to(address: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """What a message's address is known by: its mark, or itself where a version before wrote it.

    To be asked one after the other: each has an index, both together have none.
    """
    plain = sa.type_coerce(messages.c.recipient, sa.Text) == address
    return messages.c.recipient_mark == address, sa.and_(messages.c.recipient_mark.is_(None), plain)
