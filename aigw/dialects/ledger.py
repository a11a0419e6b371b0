"""What becomes of a call's parts that a target cannot carry."""

from __future__ import annotations

import re
from typing import NoReturn

from aigw.errors import BadRequest
from aigw.model.call import Call
from aigw.model.part import Media, Part, Rider

_INDEX = re.compile(r"\[\d+\]")

#: A record must stay small whatever a client sends.
_MOST = 64


class Ledger:
    """
    Keeps account while ``call`` is rendered in the dialect ``target``.

    :ivar native: whether the call came in that very dialect.
    """

    __slots__ = ("_dropped", "_target", "native")

    def __init__(self, call: Call, target: str) -> None:
        self._target = target
        self._dropped: dict[str, None] = {}
        self.native = call.origin == target
        if not self.native:
            for name in call.needs:
                self.refuse(name)
            self.rider("", call.rider)

    def drop(self, path: str) -> None:
        """Something is left out. Paths are told once, without indexes."""
        if len(self._dropped) < _MOST:
            self._dropped[_INDEX.sub("[]", path)[:128]] = None

    def clamp(self, path: str) -> None:
        """Something is changed to fit."""
        self.drop(f"{path} (clamped)")

    def refuse(self, path: str, why: str = "") -> NoReturn:
        """:raises BadRequest: always."""
        because = f": {why}" if why else ""
        raise BadRequest(
            f"{path} cannot be sent to a provider of {self._target}{because}",
            key="error_msg",
        )

    def system(self, parts: tuple[Part, ...], path: str) -> None:
        """
        Refuse what is no text in a system prompt that takes nothing else.

        :raises BadRequest: there is some.
        """
        for index, part in enumerate(parts):
            if isinstance(part, Media) and not self.native:
                self.refuse(f"{path}[{index}]", f"{part.kind} in the system prompt")

    def rider(self, at: str, rider: Rider) -> Rider:
        """``rider`` where it may go on; nothing, and an entry each, where not."""
        if self.native:
            return rider
        for path, _ in rider:
            self.drop(".".join((at, *path) if at else path))
        return ()

    @property
    def dropped(self) -> tuple[str, ...]:
        return tuple(self._dropped)
