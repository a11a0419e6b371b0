"""The framings of a process: those built in, and those third parties made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aigw.errors import ConfigError
from aigw.interfaces.framing import IFraming

from .eventstream import EventStream
from .sse import SSE

_BUILT_IN: tuple[IFraming, ...] = (SSE(), EventStream())


class Framings:
    """
    Finds a framing by its name or by the media type that announces it. Made once, at
    start; nothing is added later.

    :param others: framings beside the built-in ones, as makers made them.
    :raises ConfigError: two framings have the same name or the same media type.
    """

    def __init__(self, others: Iterable[IFraming] = ()) -> None:
        self._by_name: dict[str, IFraming] = {}
        self._by_type: dict[str, IFraming] = {}
        problems: list[str] = []
        for framing in (*_BUILT_IN, *others):
            name, kind = framing.name, framing.content_type
            if self._by_name.setdefault(name, framing) is not framing:
                problems.append(f"framing {name!r}: there are two of that name")
            before = self._by_type.setdefault(kind, framing)
            if before is not framing:
                problems.append(
                    f"framing {name!r}: {kind!r} announces {before.name!r} already"
                )
        if problems:
            raise ConfigError(problems)

    def __iter__(self) -> Iterator[IFraming]:
        return iter(self._by_name.values())

    def get(self, name: str) -> IFraming:
        """
        The framing of that name.

        :raises ConfigError: there is none; the message lists the names that exist.
        """
        framing = self._by_name.get(name)
        if framing is None:
            known = ", ".join(sorted(self._by_name))
            raise ConfigError([f"framing {name!r}: not known; there are {known}"])
        return framing

    def by_content_type(self, media_type: str) -> IFraming | None:
        """
        The framing that ``media_type`` announces, or None.

        :param media_type: in lower case, without parameters, as
            :func:`aigw.model.headers.media_type` gives it.
        """
        return self._by_type.get(media_type)
