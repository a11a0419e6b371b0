"""What became of every cell, and the table of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .features import FEATURES
from .reasons import REASONS
from .upstreams import UPSTREAMS

#: What a cell begins with that was tried and held, a note behind it; a reason in words
#: or, where something was raised, that, stands in the others.
PASSED: Final = "✓"
FAILED: Final = "FAILED "

#: Between these lines of the page stands the table.
BEGIN: Final = "<!-- the clients: written by `make matrix` -->"
END: Final = "<!-- the clients end -->"


@dataclass
class Results:
    """
    :ivar cells: (client, upstream's dialect, feature) to what became of it.
    :ivar without_npm: why the npm packages were not run; "" if they were.
    """

    cells: dict[tuple[str, str, str], str] = field(default_factory=dict)
    without_npm: str = ""

    def failed(self) -> dict[str, str]:
        """The cells in which something was raised."""
        return {
            " / ".join(place): became
            for place, became in self.cells.items()
            if became.startswith(FAILED)
        }

    def rows(self) -> dict[tuple[str, str], str]:
        """(upstream's dialect, client) to the row of the table."""
        names = dict.fromkeys(client for client, _, _ in self.cells)
        return {
            (upstream.dialect, client): _row(
                [client]
                + [_shown(self.cells[client, upstream.dialect, f]) for f in FEATURES]
            )
            for upstream in UPSTREAMS
            for client in names
        }

    def table(self) -> str:
        """All between the markers, these included."""
        return "\n".join([BEGIN, "", *self._lines(), "", END])

    def _lines(self) -> Iterator[str]:
        rows = self.rows()
        for upstream in UPSTREAMS:
            yield _row([f"provider speaks {upstream.dialect}", *FEATURES])
            yield _row(["---"] * (len(FEATURES) + 1))
            for dialect, client in rows:
                if dialect == upstream.dialect:
                    yield rows[dialect, client]
            yield ""
        for number, said in enumerate(REASONS, 1):
            yield f"{number}. {said}"

    def save(self, path: Path) -> None:
        """For :meth:`load`."""
        cells = [[*place, became] for place, became in self.cells.items()]
        path.write_text(json.dumps({"cells": cells, "without_npm": self.without_npm}))

    @classmethod
    def load(cls, path: Path) -> Results:
        """What :meth:`save` wrote."""
        held = json.loads(path.read_text())
        cells = {(a, b, c): became for a, b, c, became in held["cells"]}
        return cls(cells, held["without_npm"])


def in_page(page: str) -> str:
    """The table that ``page`` holds, its markers included."""
    return page[page.index(BEGIN) : page.index(END) + len(END)]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _shown(became: str) -> str:
    passed, said = became.startswith(PASSED), became.removeprefix(PASSED)
    number = f"({REASONS.index(said) + 1})" if said else ""
    return f"{PASSED} {number}".rstrip() if passed else number
