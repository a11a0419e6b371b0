"""Citations in Converse: of the web, of documents, of search results."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.model.part import Citation

from .words import NAME


def citation_of(told: dict[str, Any]) -> Citation:
    """A citation, streamed or whole; both have the same members."""
    location = told.get("location")
    web = location.get("web") if isinstance(location, dict) else None
    quoted = told.get("sourceContent")
    return Citation(
        url=_text(web.get("url")) if isinstance(web, dict) else "",
        title=_text(told.get("title")),
        quote="".join(
            _text(piece.get("text"))
            for piece in (quoted if isinstance(quoted, list) else ())
            if isinstance(piece, dict)
        ),
        dialect=NAME,
        raw=msgspec.json.encode(told),
    )


def written(citation: Citation) -> Any:
    """The inverse; None where there is nothing to cite by."""
    if citation.dialect == NAME:
        return msgspec.Raw(citation.raw)
    if not citation.url:
        return None
    told: dict[str, Any] = {"location": {"web": {"url": citation.url}}}
    if citation.title:
        told["title"] = citation.title
    if citation.quote:
        told["sourceContent"] = [{"text": citation.quote}]
    return told


def cited(text: str, citations: list[Any]) -> dict[str, Any]:
    """The block of a text with its citations."""
    content = {"content": [{"text": text}], "citations": citations}
    return {"citationsContent": content}


def text_of(block: dict[str, Any]) -> str | None:
    """The text of a ``citationsContent`` block, None where it is none."""
    told = block.get("citationsContent")
    content = told.get("content") if isinstance(told, dict) else None
    if not isinstance(content, list):
        return None
    return "".join(_text(one.get("text")) for one in content if isinstance(one, dict))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
