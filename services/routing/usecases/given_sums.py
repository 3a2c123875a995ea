"""Sums that an agency hands in over its queue: compared, and told of by the same way."""

from __future__ import annotations

from typing import Final

from services.routing.domain.reconciling import Compared, DaySum, Span
from services.routing.domain.submission import ForgedAnswer
from services.routing.usecases.reconcile import hand_in
from services.routing.usecases.rules import Rules
from shared.database import UnitOfWork
from shared.events import agencies, names
from shared.events.envelope import Envelope
from shared.kernel.clock import parse_day
from shared.kernel.errors import InvalidInput, Unreadable
from shared.web.faults import INVALID

_UNREADABLE: Final = "Không đọc được tổng của các ngày; xem answer.day_sums trong tài liệu."


def take_sums(uow: UnitOfWork, rules: Rules, envelope: Envelope) -> str | None:
    """Compare them and answer; what the agency lacks goes out again.

    Odd ones are refused by message: then what is wrong with them, in Vietnamese.
    """
    agency = names.agency_of(envelope.source)
    if agency is None or not rules.has_agency(agency):
        raise ForgedAnswer("sums come from an agency that the catalogue does not know")
    try:
        told = hand_in(uow, agency, _read(envelope, agency), resend=True)
    except (Unreadable, InvalidInput, ValueError) as odd:
        said = str(odd) if isinstance(odd, ValueError) else odd.en
        uow.record(_refused(agency, envelope, said, uow))
        return _UNREADABLE
    uow.record(
        agencies.DaySumsCompared(
            agency=agency,
            answer_id=envelope.id[:200],
            days=tuple(map(_part, told)),
            compared_at=uow.now,
        )
    )
    return None


def _read(envelope: Envelope, agency: str) -> list[DaySum]:
    if envelope.fault is not None:
        raise Unreadable(envelope.fault)
    event = envelope.event()
    assert isinstance(event, agencies.AnswerDaySums), "the handler is for this type alone"
    if event.agency != agency:
        raise ValueError("data.agency is another than the source's")
    return [_sum(each) for each in event.days]


def _sum(part: agencies.DaySum) -> DaySum:
    spans = tuple((each.first, each.last) for each in part.spans)
    return DaySum(parse_day(part.day), part.count, part.sha256, spans)


def _part(compared: Compared) -> agencies.DayCompared:
    return agencies.DayCompared(
        day=compared.ours.day.isoformat(),
        count=compared.ours.count,
        sha256=compared.ours.sha256,
        spans=_spans(compared.ours.spans),
        agreed=compared.agreed,
        missing=_spans(compared.missing),
        forgotten=_spans(compared.forgotten),
        unknown=_spans(compared.unknown),
    )


def _spans(spans: tuple[Span, ...]) -> tuple[agencies.Span, ...]:
    return tuple(agencies.Span(first=a, last=b) for a, b in spans[: agencies.MOST_SPANS])


def _refused(
    agency: str, envelope: Envelope, said: str, uow: UnitOfWork
) -> agencies.TaskAnswerRefused:
    return agencies.TaskAnswerRefused(
        task="-",
        dossier="-",
        agency=agency,
        answer_id=envelope.id[:200],
        kind="day_sums",
        rule=INVALID,
        place="",
        pointer="#/data",
        vi=_UNREADABLE,
        en=said[:2000],
        refused_at=uow.now,
    )
