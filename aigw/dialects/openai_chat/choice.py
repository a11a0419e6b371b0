"""What a writer knows of a choice it writes."""

from __future__ import annotations

from typing import Final

#: The most characters of reasoning kept to be told with its signature.
KEPT: Final = 1024 * 1024


class Choice:
    """
    What was written of one choice.

    :ivar calls: block number to the call's place among the choice's calls.
    :ivar ids: block number to the call's id.
    :ivar thinking: the number of the reasoning block opened last.
    :ivar thoughts: its text, to go with its signature.
    :ivar details: how many entries of ``reasoning_details`` were written.
    :ivar images: how many images were.
    """

    __slots__ = (
        "calls",
        "custom",
        "details",
        "ids",
        "images",
        "size",
        "thinking",
        "thoughts",
    )

    def __init__(self) -> None:
        self.calls: dict[int, int] = {}
        self.custom: set[int] = set()
        self.ids: dict[int, str] = {}
        self.thinking = -1
        self.thoughts: list[str] = []
        self.size = 0
        self.details = 0
        self.images = 0
