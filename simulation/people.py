"""Invented citizens: plausible names, phones and papers for the simulated city.

Lives here: making people up from a seeded generator. Nobody here exists; phone numbers are drawn
from the whole mobile range, addresses name a ward only. Must not: any call into a service.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from shared.catalogue import FormField, Procedure
from shared.kernel.text import unaccent

FAMILY_NAMES = (
    ("Nguyễn", 38), ("Trần", 12), ("Lê", 10), ("Phạm", 7), ("Huỳnh", 6), ("Võ", 5), ("Phan", 4),
    ("Trương", 3), ("Bùi", 3), ("Đặng", 3), ("Đỗ", 3), ("Ngô", 2), ("Hồ", 2), ("Dương", 2),
)  # fmt: skip
MIDDLE_NAMES = ("Văn", "Thị", "Hữu", "Minh", "Ngọc", "Thanh", "Kim", "Quốc", "Hoàng", "Mỹ", "Đức")
GIVEN_NAMES = (
    "An", "Bình", "Châu", "Dũng", "Đạt", "Giang", "Hạnh", "Hiếu", "Hương", "Khánh", "Khoa", "Lan",
    "Linh", "Loan", "Long", "Mai", "Nam", "Nga", "Nghĩa", "Nhung", "Phúc", "Phương", "Quân",
    "Quỳnh", "Sơn", "Tâm", "Thảo", "Thịnh", "Trang", "Trí", "Tuấn", "Tuyết", "Vân", "Vy", "Yến",
)  # fmt: skip
MOBILE_PREFIXES = ("032", "035", "038", "039", "070", "076", "081", "083", "088", "090", "091",
                   "093", "096", "097", "098")  # fmt: skip
WORDS = ("theo giấy tờ đã nộp", "như tờ khai", "theo hồ sơ gốc")


@dataclass(frozen=True, slots=True)
class Citizen:
    """An invented person; `phone` and `email` are None for whom nobody can reach."""

    name: str = field(repr=False)
    phone: str | None = field(repr=False)
    email: str | None = field(repr=False)
    language: str
    consent: dict[str, bool]


class People:
    """Makes citizens up; the same generator state gives the same people."""

    def __init__(self, rng: Random, *, unreachable: float, foreign: float = 0.02) -> None:
        self._rng = rng
        self._unreachable = unreachable
        self._foreign = foreign

    def name(self) -> str:
        names, weights = zip(*FAMILY_NAMES, strict=True)
        family = self._rng.choices(names, weights)[0]
        return f"{family} {self._rng.choice(MIDDLE_NAMES)} {self._rng.choice(GIVEN_NAMES)}"

    def phone(self) -> str:
        return self._rng.choice(MOBILE_PREFIXES) + "".join(
            str(self._rng.randrange(10)) for _ in range(7)
        )

    def citizen(self) -> Citizen:
        name = self.name()
        reachable = self._rng.random() >= self._unreachable
        mailbox = unaccent(name).lower().replace(" ", ".")
        email = f"{mailbox}{self._rng.randrange(100):02d}@example.vn"
        has_email = reachable and self._rng.random() < 0.45
        return Citizen(
            name=name,
            phone=self.phone() if reachable else None,
            email=email if has_email else None,
            language="en" if self._rng.random() < self._foreign else "vi",
            consent={"sms": reachable, "email": has_email},
        )

    def fill(self, procedure: Procedure, citizen: Citizen, today: date) -> dict[str, Any]:
        """A filled form of the procedure: all required fields and most of the others.

        A field that stands in for another (a passport for an ID number) is left empty.
        """
        stand_ins = {name for item in procedure.form for name in item.required_unless}
        return {
            item.name: self._value(item, citizen, today)
            for item in procedure.form
            if item.name not in stand_ins and (item.required or self._rng.random() < 0.7)
        }

    def _value(self, item: FormField, citizen: Citizen, today: date) -> Any:
        rng = self._rng
        made: dict[str, Callable[[], Any]] = {
            "date": lambda: date.isoformat(_within_days(item, rng.randrange(1, 400), today)),
            "number": lambda: _within(item, rng.randrange(1, 300), today),
            "choice": lambda: rng.choice(item.choices),
            "bool": lambda: rng.random() < 0.5,
            "phone": lambda: citizen.phone or self.phone(),
            "id_number": lambda: "0872" + "".join(str(rng.randrange(10)) for _ in range(8)),
        }
        if item.type in made:
            return made[item.type]()
        text = self.name() if "name" in item.name else rng.choice(WORDS)
        return text[: item.max_length] if item.max_length else text


def _within_days(item: FormField, days: int, today: date) -> date:
    """So many days ago, or ahead where the date may not lie in the past."""
    ago = today - timedelta(days=days)
    earliest = item.earliest(today)
    return ago if earliest is None or ago >= earliest else today + timedelta(days=days)


def _within(item: FormField, number: int, today: date) -> float:
    """The number itself if its field takes it, else one that the field does take."""
    least, most = item.least or 0, item.most(today)
    if number >= least and (most is None or number <= most):
        return number
    return least + (number if most is None else number % int(most - least + 1))
