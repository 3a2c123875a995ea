"""Objects that several facts share, and the root of every fact schema."""

from __future__ import annotations

import marshmallow as ma

from shared.events.fields import Flag, Text, Whole, Word

CHANNELS = ("direct", "online", "postal")
LONGEST_NAME = 500


class Fact(ma.Schema):
    """Root of all: unknown names are refused when writing."""

    class Meta:
        """marshmallow's own place for options."""

        unknown = ma.RAISE


class ProcedureName(Fact):
    """A procedure as its readers print it."""

    code = Word("National code, such as 2.000986; text, never a number")
    name = Text("Official Vietnamese name", longest=LONGEST_NAME)


class ProcedureVersion(ProcedureName):
    """The procedure version under which the dossier was filed; it stays the dossier's for life."""

    version = Whole("Version in the city's catalogue", least=1)
    short_name = Text("ASCII, short enough for an SMS", longest=120)


class Office(Fact):
    """The office whose desk took the dossier."""

    code = Word("Agency code of the catalogue")
    name = Text("Vietnamese name", longest=LONGEST_NAME)


class OfficeWithTerritory(Office):
    """The office and the territory it stands for."""

    territory = Text("Ward code, or * for the whole city", longest=20)


class Agency(Fact):
    """An agency as its readers print it."""

    code = Word("Agency code of the catalogue")
    name = Text("Vietnamese name", longest=LONGEST_NAME)


class Step(Fact):
    """A step of the procedure."""

    code = Word("Step code, unique inside the procedure version")
    name = Text("Vietnamese name", longest=LONGEST_NAME)


class Paper(Fact):
    """One paper of the dossier with its counts."""

    code = Word("Paper code of the catalogue")
    name = Text("Vietnamese name", longest=1000)
    original = Whole("Originals handed in")
    copy = Whole("Copies handed in")


class Consent(Fact):
    """The channels the citizen agreed to."""

    sms = Flag("Text messages")
    email = Flag("E-mail")
