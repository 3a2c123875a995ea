"""The numbers that were passed over, kept as ranges: a number far ahead costs one row."""

from __future__ import annotations

from partner.store import Store


class Gaps:
    """What has not come yet; `asked` are the numbers that the door was asked for in vain."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def highest(self) -> int:
        """The highest number that has come, readable or not; 0 before the first."""
        (highest,) = self._store.one(
            "SELECT max(coalesce((SELECT max(sequence) FROM messages), 0),"
            " coalesce((SELECT max(sequence) FROM unreadable), 0))"
        )
        return int(highest)

    def lowest(self) -> int:
        """The lowest number that has come, 0 before the first: where this store began."""
        (lowest,) = self._store.one("SELECT coalesce(min(sequence), 0) FROM messages")
        return int(lowest)

    def note(self, number: int, follows: int | None = None) -> range:
        """A number has come (before it is kept); the numbers that this shows to be missing.

        `follows` is the one before it where that is not the next lower: what lies between was
        lost at the city, and is no gap.
        """
        highest = self.highest()
        if follows is not None:
            self._forget(follows, number)
        if number > highest:
            until = number if follows is None else follows + 1
            self._add(highest + 1, until - 1)
            return range(highest + 1, max(highest + 1, until))
        row = self._store.one(
            "SELECT first, last, asked FROM gaps WHERE first <= ? ORDER BY first DESC LIMIT 1",
            number,
        )
        if row is not None and number <= row[1]:
            first, last, asked = row
            self._store.do("DELETE FROM gaps WHERE first = ?", first)
            self._add(first, number - 1, asked)
            self._add(number + 1, last, asked)
        return range(0)

    def missing(self) -> list[range]:
        """Numbers that were passed over and have not come yet, in order."""
        rows = self._store.all("SELECT first, last FROM gaps ORDER BY first")
        return [range(first, last + 1) for first, last in rows]

    def next_to_ask(self, above: int = 0) -> int | None:
        """The lowest missing number above `above` that the door was not asked for yet."""
        (found,) = self._store.one(
            "SELECT min(max(first, ? + 1)) FROM gaps WHERE last > ? AND NOT asked", above, above
        )
        return None if found is None else int(found)

    def asked(self, first: int, last: int | None) -> None:
        """The door was asked for the numbers from `first` to `last` (None: all above)."""
        rows = self._store.all(
            "SELECT first, last FROM gaps WHERE last >= ? AND NOT asked", first
        )  # fmt: skip
        for begin, end in rows:
            until = end if last is None else min(end, last)
            if until < max(begin, first):
                continue
            self._store.do("DELETE FROM gaps WHERE first = ?", begin)
            self._add(begin, first - 1)
            self._add(max(begin, first), until, 1)
            self._add(until + 1, end)

    def _forget(self, follows: int, number: int) -> None:
        """Nothing between these two will come."""
        rows = self._store.all(
            "SELECT first, last, asked FROM gaps WHERE last > ? AND first < ?", follows, number
        )
        for first, last, asked in rows:
            self._store.do("DELETE FROM gaps WHERE first = ?", first)
            self._add(first, min(last, follows), asked)
            self._add(max(first, number), last, asked)

    def _add(self, first: int, last: int, asked: int = 0) -> None:
        if first <= last:
            self._store.do("INSERT INTO gaps VALUES (?, ?, ?)", first, last, asked)
