"""Token counts as vendors write them: read leniently, merged over a stream."""

from __future__ import annotations

from collections.abc import Iterable

#: No answer has more tokens; a larger number is no count.
_MOST = 2**53


def count(source: object, *path: str) -> int:
    """
    The number at ``path`` within decoded JSON; 0 where none, or none above 0, stands
    there. Whole floats count, as some servers write them.
    """
    for name in path:
        if not isinstance(source, dict):
            return 0
        source = source.get(name)
    if isinstance(source, bool) or not isinstance(source, int | float):
        return 0
    return int(source) if 0 < source < _MOST else 0


class Counts(dict[str, int]):
    """
    A vendor's own counts, by its names. Of what a stream tells later only numbers above
    0 overwrite: closing events of several vendors repeat some counts as 0.
    """

    def merge(self, source: object, paths: Iterable[tuple[str, ...]]) -> None:
        """Take the counts at ``paths``; each is kept under its path's last name."""
        flat = source if isinstance(source, dict) else {}
        for path in paths:
            found = flat.get(path[0])
            if found is None:
                number = 0
            elif type(found) is int and len(path) == 1:  # nearly always
                number = found if 0 < found < _MOST else 0
            else:
                number = count(source, *path)
            if number or path[-1] not in self:
                self[path[-1]] = number
