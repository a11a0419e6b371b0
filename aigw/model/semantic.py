"""Semantic choice: the instance whose examples are most like the request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .headers import Headers
from .outbound import Origin


@dataclass(frozen=True, slots=True)
class Embedding:
    """
    Where texts are turned into vectors, by OpenAI's embeddings API.

    :ivar target: path and query, encoded, credentials of ``auth.query`` included.
    :ivar headers: fields sent beside the content type, names in lower case.
    :ivar timeout: of one call as a whole, seconds.
    """

    origin: Origin
    target: bytes
    model: str
    headers: tuple[tuple[bytes, bytes], ...] = ()
    timeout: float = 3.0

    def fields(self) -> Headers:
        """``headers`` as the list that requests take, with the content type."""
        return [*self.headers, (b"content-type", b"application/json")]


@dataclass(frozen=True, slots=True)
class Semantic:
    """
    :ivar embedding: who turns texts into vectors; None where another ranker is used.
    :ivar ranker: the name of a third party's ranker, ``""`` for that by embeddings.
    :ivar settings: what that is made with.
    :ivar threshold: the least score, for instances that have none of their own.
    :ivar fallback: the name of the instance asked when none is like the request; None
        for the first.
    :ivar debugging: whether the answer tells the scores.
    """

    embedding: Embedding | None
    threshold: float = 0.0
    fallback: str | None = None
    debugging: bool = False
    ranker: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
