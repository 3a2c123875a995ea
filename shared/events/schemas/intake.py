"""What intake states: facts about a dossier at the desk, and the citizen's contact data."""

from __future__ import annotations

from shared.events.fields import Choice, Form, Instant, Many, Part, Phone, Text, Whole, Word
from shared.events.schemas.parts import (
    CHANNELS,
    Agency,
    Consent,
    Fact,
    Office,
    OfficeWithTerritory,
    Paper,
    ProcedureVersion,
)


class DossierRegistered(Fact):
    """Filed online or by post, not yet checked (status 1)."""

    dossier = Word("Dossier code")
    procedure = Part(ProcedureVersion)
    office = Part(Office)
    channel = Choice(*CHANNELS)
    submitted_at = Instant()


class DossierReceived(Fact):
    """Validly received: the clock starts and the return date is promised (status 2)."""

    dossier = Word("Dossier code")
    procedure = Part(ProcedureVersion)
    field = Text("Field of the procedure", longest=200)
    office = Part(OfficeWithTerritory)
    channel = Choice(*CHANNELS)
    submitted_at = Instant()
    received_at = Instant("Valid reception; the clock starts here, not at submission")
    promised_at = Instant("The first promise; extensions never change it")
    due_at = Instant("Due instant in force now")
    form = Form("Form fields as given", personal=True)
    papers = Many(Part(Paper))
    branches = Many(Word(), "Optional branches that the citizen chose")


class DossierRefused(Fact):
    """Not received, with a reason and what to do instead (status 3)."""

    dossier = Word("Dossier code")
    procedure = Part(ProcedureVersion)
    office = Part(Office)
    reason = Text()
    next_step = Text("What the citizen can do now")
    refused_at = Instant()


class SupplementRequested(Fact):
    """Papers or data are missing; the clock stands still (status 5).

    Intake states it before reception, routing after it.
    """

    dossier = Word("Dossier code")
    round = Whole("1 for the first request", least=1)
    step = Word("Code of the asking step; null at the desk", nullable=True)
    agency = Part(Agency, "Who asks; at the desk the office itself")
    items = Many(Text(longest=1000), "Every missing item, in one go")
    reason = Text()
    respond_by = Instant(nullable=True)
    requested_at = Instant()


class SupplementReminded(Fact):
    """The date for papers that the desk or an agency asked for is near, and they are not here."""

    dossier = Word("Dossier code")
    round = Whole("The round that is awaited", least=1)
    agency = Part(Agency, "Who asked; at the desk the office itself")
    items = Many(Text(longest=1000), "Every missing item")
    reason = Text("Why they were asked for")
    respond_by = Instant()
    reminded_at = Instant()


class SupplementExtended(Fact):
    """The desk gives more time for the papers that it asked for before reception."""

    dossier = Word("Dossier code")
    round = Whole("The round that is awaited", least=1)
    agency = Part(Agency, "Who asked: the office itself")
    items = Many(Text(longest=1000), "Every missing item")
    respond_by = Instant("The new date")
    extended_at = Instant()


class DossierSupplemented(Fact):
    """The missing items are here; the clock goes on."""

    dossier = Word("Dossier code")
    round = Whole("The round that is answered", least=1)
    papers = Many(Part(Paper), "Papers handed in this time")
    form = Form("Changed fields only", personal=True)
    supplemented_at = Instant()
    promised_at = Instant("The first promise; before reception null", nullable=True)
    due_at = Instant("Due instant in force now; before reception null", nullable=True)


class DossierPaid(Fact):
    """The financial duty is met; the clock goes on."""

    dossier = Word("Dossier code")
    step = Word("Code of the payment step")
    reference = Text("Number of the notice that was paid", longest=200)
    amount_vnd = Whole("Dong")
    paid_at = Instant()
    promised_at = Instant("The first promise")
    due_at = Instant("Due instant in force now")


class DeadlineStated(Fact):
    """The date in force, stated anew after routing told that something has changed it."""

    dossier = Word("Dossier code")
    because = Choice("clock_resumed", "supplement_dropped", "extended")
    clock = Choice("runs", "stands")
    promised_at = Instant("The first promise")
    due_at = Instant("Due instant in force now; while the clock stands it will still move")
    stated_at = Instant()


class DossierWithdrawn(Fact):
    """Withdrawn by the citizen (status 7)."""

    dossier = Word("Dossier code")
    reason = Text()
    withdrawn_at = Instant()


class DossierReturned(Fact):
    """The result was handed over (status 10)."""

    dossier = Word("Dossier code")
    method = Word("desk, post or online")
    returned_at = Instant()


class ContactGiven(Fact):
    """How to reach the citizen; travels on an exchange of its own that notify alone reads."""

    dossier = Word("Dossier code")
    name = Text(longest=200, personal=True)
    phone = Phone("E.164", nullable=True, personal=True)
    email = Text(longest=254, nullable=True, personal=True)
    language = Choice("vi", "en")
    consent = Part(Consent)
    lookup_word = Word("With the dossier code it opens the look-up page", personal=True)
    given_at = Instant()
