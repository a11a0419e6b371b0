"""Citations of text, however they say where it was found."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.model.part import Citation

from .words import NAME


def citation_of(told: dict[str, Any]) -> Citation:
    """A citation of an answer."""
    return Citation(
        url=_text(told.get("url")),
        title=_text(told.get("document_title")) or _text(told.get("title")),
        quote=_text(told.get("cited_text")),
        dialect=NAME,
        raw=msgspec.json.encode(told),
    )


def written(citation: Citation) -> Any:
    """
    Its own citations as they came, others as found in the web; None where there is no
    URL. What Anthropic would find its own search result by is empty: there is none.
    """
    if citation.dialect == NAME:
        return msgspec.Raw(citation.raw)
    if not citation.url:
        return None
    return {
        "type": "web_search_result_location",
        "url": citation.url,
        "title": citation.title or None,
        "cited_text": citation.quote,
        "encrypted_index": "",
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
