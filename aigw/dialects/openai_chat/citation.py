"""Citations in chat completions."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.model.part import Citation

from . import chunk as chunks
from .words import NAME


def citation_of(annotation: dict[str, Any]) -> Citation | None:
    """A ``url_citation`` annotation; None for any other."""
    told = annotation.get("url_citation")
    if not isinstance(told, dict):
        return None
    start, end = told.get("start_index"), told.get("end_index")
    return Citation(
        url=chunks.text(told.get("url")),
        title=chunks.text(told.get("title")),
        quote=chunks.text(told.get("content")),
        start=start if type(start) is int else None,
        end=end if type(end) is int else None,
        dialect=NAME,
        raw=msgspec.json.encode(annotation),
    )


def annotation_of(citation: Citation) -> Any:
    """
    The inverse; None where there is no URL to cite. The official client wants both
    indexes: where they are not told, they are 0.
    """
    if citation.dialect == NAME:
        return msgspec.Raw(citation.raw)
    if not citation.url:
        return None
    told: dict[str, Any] = {"url": citation.url, "title": citation.title}
    if citation.quote:
        told["content"] = citation.quote
    told["start_index"] = citation.start or 0
    told["end_index"] = citation.end or 0
    return {"type": "url_citation", "url_citation": told}
