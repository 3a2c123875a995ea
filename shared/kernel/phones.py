"""Phone numbers of citizens: read, normalised, never silently rewritten.

Uses the `phonenumbers` tables (E.164, ITU-T). An SMS goes to Vietnamese mobile numbers only;
numbers are portable, so no gateway may be chosen by prefix.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from shared.kernel.errors import Fault, InvalidInput
from shared.kernel.letters import fold_wide, tidy

_UNREADABLE = "Số điện thoại không đọc được; ghi như 0907123456."
Kind = Literal["mobile", "fixed", "other"]

# The conversion of 2018: eleven digits became ten. Offered as a hint, never applied silently.
_OLD_PREFIXES = {
    "0162": "032", "0163": "033", "0164": "034", "0165": "035", "0166": "036", "0167": "037",
    "0168": "038", "0169": "039",
    "0120": "070", "0121": "079", "0122": "077", "0126": "076", "0128": "078",
    "0123": "083", "0124": "084", "0125": "085", "0127": "081", "0129": "082",
    "0186": "056", "0188": "058", "0199": "059",
}  # fmt: skip


# Mobile numbers of here whose range is whole: known without the tables, which take ten times as
# long for what nearly every contact holds. A test holds this to the tables.
_PLAIN_MOBILE: Final = re.compile(r"0(3[2-9]|5[689]|7[06-9]|8[1-8]|9[0-8])[0-9]{7}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Phone:
    """A valid Vietnamese number: `e164` for machines, `original` as it was written down."""

    e164: str = field(repr=False)
    original: str = field(repr=False)

    @property
    def kind(self) -> Kind:
        """What kind of line it is by the numbering plan; only a mobile can get an SMS."""
        return _kind(self.e164)

    @property
    def takes_sms(self) -> bool:
        """Whether an SMS can be sent to it."""
        return self.kind == "mobile"


def normalise_phone(raw: str, *, place: str = "phone") -> Phone:
    """Read a Vietnamese number however it was written; InvalidInput says what is wrong.

    Old 11-digit mobile numbers (invalid since 2018) are refused with the number they became.
    """
    digits = _national_digits(fold_wide(tidy(raw)))
    if digits is None:
        raise _wrong(place, _UNREADABLE, "this is not a phone number")
    if (new := _converted(digits)) is not None:
        raise _wrong(
            place,
            f"Số 11 chữ số đã đổi đầu số từ năm 2018; có phải {new}?",
            f"11-digit numbers were converted in 2018; is it {new}?",
        )
    if _PLAIN_MOBILE.fullmatch(digits):
        return Phone(e164="+84" + digits[1:], original=raw)
    return Phone(e164=_by_the_tables(digits, place), original=raw)


def _by_the_tables(digits: str, place: str) -> str:
    """The number in E.164; InvalidInput where there is none of here."""
    import phonenumbers  # they are heavy, and most processes never read such a number

    try:
        number = _of_here(digits) or phonenumbers.parse(
            digits, None if digits.startswith("+") else "VN"
        )
    except phonenumbers.NumberParseException:
        raise _wrong(place, _UNREADABLE, "this is not a phone number") from None
    if number.country_code != 84:
        raise _wrong(
            place,
            "Chỉ nhận số điện thoại Việt Nam.",
            "only numbers of Việt Nam can be reached",
        )
    if not phonenumbers.is_valid_number(number):
        raise _wrong(place, "Số điện thoại không đúng.", "there is no such phone number")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _of_here(digits: str) -> Any:
    """The number of ten digits with the zero of long-distance calls; None for any other.

    Reading it letter by letter with the tables of all countries is a third of a contact's check.
    """
    import phonenumbers

    if len(digits) != 10 or digits[0] != "0" or digits[1] == "0":
        return None
    return phonenumbers.PhoneNumber(country_code=84, national_number=int(digits))


def _national_digits(raw: str) -> str | None:
    """Digits in national form (0...) or, for other countries, with a plus; None if no number."""
    text = re.sub(r"\(0\)", "", raw)  # +84 (0)90...: the zero is only said at home
    if not re.fullmatch(r"\+?[0-9\s.\-()/\u2010-\u2015]+", text):
        return None
    digits = re.sub(r"[^0-9]", "", text)
    plus = text.startswith("+") or digits.startswith("00")
    digits = digits.removeprefix("00") if not text.startswith("+") else digits
    if digits.startswith("84") and (plus or len(digits) in (11, 12)):
        return "0" + digits[2:].removeprefix("0")
    if plus:
        return "+" + digits
    return digits if len(digits) >= 8 else None


def _converted(digits: str) -> str | None:
    if len(digits) == 11 and digits[:4] in _OLD_PREFIXES:
        return _OLD_PREFIXES[digits[:4]] + digits[4:]
    return None


def _kind(e164: str) -> Kind:
    here = "0" + e164[3:] if e164.startswith("+84") else ""
    if _PLAIN_MOBILE.fullmatch(here):
        return "mobile"
    import phonenumbers

    kind = phonenumbers.number_type(_of_here(here) or phonenumbers.parse(e164, None))
    if kind == phonenumbers.PhoneNumberType.MOBILE:
        return "mobile"
    return "fixed" if kind == phonenumbers.PhoneNumberType.FIXED_LINE else "other"


def _wrong(place: str, vi: str, en: str) -> InvalidInput:
    # Only the hint for the desk repeats digits; the English text, which may be logged, does not.
    return InvalidInput([Fault(place, vi, en)], en=f"{place}: not a phone number that can be used")
