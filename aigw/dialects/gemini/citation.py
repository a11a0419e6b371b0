"""Citations of a candidate."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.model.part import Citation

from .chunk import text
from .words import NAME


def citations_of(metadata: object) -> list[Citation]:
    """The citations of a ``citationMetadata``."""
    found = metadata.get("citations") if isinstance(metadata, dict) else None
    if not isinstance(found, list):
        return []
    return [_citation(one) for one in found if isinstance(one, dict)]


def _citation(told: dict[str, Any]) -> Citation:
    start, end = told.get("startIndex"), told.get("endIndex")
    return Citation(
        url=text(told.get("uri")),
        title=text(told.get("title")),
        start=start if type(start) is int else None,
        end=end if type(end) is int else None,
        dialect=NAME,
        raw=msgspec.json.encode(told),
    )


def written(citation: Citation) -> Any:
    """An entry of ``citations``; None where there is nothing Gemini has a field for."""
    if citation.dialect == NAME:
        return msgspec.Raw(citation.raw)
    if not citation.url:
        return None
    told: dict[str, Any] = {"uri": citation.url}
    if citation.title:
        told["title"] = citation.title
    if citation.start is not None:
        told["startIndex"] = citation.start
    if citation.end is not None:
        told["endIndex"] = citation.end
    return told
