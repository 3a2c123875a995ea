"""How many letters a provider is given at once, and which: none overtakes another to one phone."""

from __future__ import annotations

from collections.abc import Iterator

from services.notify.domain.delivery import Letter


def window(
    first: Letter, waiting: Iterator[Letter], most: int
) -> tuple[list[Letter], Letter | None]:
    """Up to `most` letters to different people, and the first that did not fit any more."""
    taken, phones = [first], {first.to}
    if most == 1:
        return taken, next(waiting, None)
    for letter in waiting:
        if letter.to in phones or len(taken) >= most:
            return taken, letter
        taken.append(letter)
        phones.add(letter.to)
    return taken, None
