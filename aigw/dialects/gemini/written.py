"""Parts of a candidate as they are written, streamed or whole."""

from __future__ import annotations

from typing import Any

import msgspec

from aigw.dialects import failures
from aigw.model.part import Signature

from .words import packed

_TYPES = {"image": "image/png", "audio": "audio/wav"}


def call_part(
    id: str, name: str, arguments: str, signature: Signature | None
) -> dict[str, Any]:
    """A ``functionCall``, whole; arguments that are no object become an empty one."""
    raw = arguments.encode()
    known = isinstance(failures.decoded(raw), dict)
    args = msgspec.Raw(raw) if known else {}
    call: dict[str, Any] = {"id": id, "name": name, "args": args}
    if not id:
        del call["id"]
    part: dict[str, Any] = {"functionCall": call}
    if signature is not None:
        part["thoughtSignature"] = packed(signature)
    return part


def signed_part(signature: Signature, thought: bool, redacted: bool) -> dict[str, Any]:
    """A part that says nothing but who signed what stood before it."""
    part: dict[str, Any] = {"text": ""}
    if thought:
        part["thought"] = True
    part["thoughtSignature"] = packed(signature, redacted)
    return part


def media_part(type: str, data: str) -> dict[str, Any]:
    """
    :param type: a media type, or the kind of the thing where that is all that is known.
    """
    mime = _TYPES.get(type, type)
    return {"inlineData": {"mimeType": mime, "data": data}}
