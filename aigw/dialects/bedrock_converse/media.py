"""Images, documents, sound and video in Converse: a format's name, and its source."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any, Literal

from aigw.dialects.json_object import JSONObject
from aigw.dialects.ledger import Ledger
from aigw.model.part import Media

Kind = Literal["image", "document", "audio", "video"]

_OFFICE = "application/vnd.openxmlformats-officedocument"

#: Formats to media types. A format without one is taken for its own type, which has no
#: slash and so is nobody else's.
_TYPES: dict[Kind, dict[str, str]] = {
    "image": {
        "png": "image/png",
        "jpeg": "image/jpeg",
        "gif": "image/gif",
        "webp": "image/webp",
    },
    "document": {
        "pdf": "application/pdf",
        "csv": "text/csv",
        "doc": "application/msword",
        "docx": f"{_OFFICE}.wordprocessingml.document",
        "xls": "application/vnd.ms-excel",
        "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
        "html": "text/html",
        "txt": "text/plain",
        "md": "text/markdown",
    },
    "audio": {
        "mp3": "audio/mpeg",
        "opus": "audio/opus",
        "wav": "audio/wav",
        "aac": "audio/aac",
        "flac": "audio/flac",
        "mp4": "audio/mp4",
        "ogg": "audio/ogg",
        "mka": "audio/x-matroska",
        "m4a": "audio/x-m4a",
        "webm": "audio/webm",
    },
    "video": {
        "mkv": "video/x-matroska",
        "mov": "video/quicktime",
        "mp4": "video/mp4",
        "webm": "video/webm",
        "flv": "video/x-flv",
        "mpeg": "video/mpeg",
        "wmv": "video/x-ms-wmv",
        "three_gp": "video/3gpp",
    },
}

#: Media types to formats: the inverse, and what else the same goes by.
_FORMATS: dict[Kind, dict[str, str]] = {
    kind: {type: format for format, type in types.items()}
    for kind, types in _TYPES.items()
}
_FORMATS["image"]["image/jpg"] = "jpeg"
_FORMATS["audio"] |= {"audio/mp3": "mp3", "audio/x-wav": "wav", "audio/m4a": "m4a"}
_FORMATS["document"]["text/x-markdown"] = "md"

#: What is meant where a client tells no type.
_USUAL: dict[Kind, str] = {"image": "png", "document": "pdf"}

_UNNAMEABLE = re.compile(r"[^A-Za-z0-9 \-()\[\]]+")
_BLANKS = re.compile(r" {2,}")
_LONGEST = 200


def type_of(kind: Kind, format: str) -> str:
    """The media type of a format."""
    return _TYPES[kind].get(format, format)


def format_of(kind: Kind, type: str) -> str | None:
    """
    The format of a media type, None where Converse has none for it.

    >>> format_of("image", "image/jpeg")
    'jpeg'
    """
    bare = type.split(";", 1)[0].strip().lower()
    if not bare:
        return _USUAL.get(kind)
    known = _FORMATS[kind].get(bare)
    return known or (type if "/" not in type else None)


def document_name(name: str, taken: set[str]) -> str:
    """
    A name as Converse allows it: of letters, digits, single blanks, hyphens and
    brackets, and no two alike in a request. The suffix tells nothing, ``format`` does.

    :param taken: the names given so far; this one is added.
    """
    stem, dot, suffix = name.rpartition(".")
    plain = _UNNAMEABLE.sub(" ", stem if dot and len(suffix) < 6 else name)
    plain = _BLANKS.sub(" ", plain).strip()[: _LONGEST - 8].strip() or "document"
    fitted, count = plain, 1
    while fitted in taken:
        count += 1
        fitted = f"{plain} {count}"
    taken.add(fitted)
    return fitted


def read_media(block: JSONObject, kind: Kind) -> Media | None:
    """
    The medium under ``kind`` in a block; None where it has a source that only this
    dialect knows.
    """
    told = block.object(kind)
    source = told.object("source") if told is not None else None
    if told is None or source is None:
        return None
    format = told.string("format") or ""
    type = type_of(kind, format)
    name = (told.string("name") if kind == "document" else None) or ""
    data = source.string("bytes")
    if data is not None:
        return Media(kind, "base64", data, type, name)
    if kind == "document":
        text = source.string("text")
        if text is not None:
            return Media(kind, "text", text, type, name)
    place = source.object("s3Location")
    uri = place.string("uri") if place is not None else None
    if uri is None:
        return None
    return Media(kind, "file", uri, type, name)


class Written:
    """Renders the media of one request."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._names: set[str] = set()

    def __call__(self, media: Media, at: str) -> dict[str, Any] | None:
        """
        The block of ``media``; None where there is nothing in it.

        :raises BadRequest: Converse cannot carry it.
        """
        ledger = self._ledger
        if not media.value and not ledger.native:
            return None
        if media.detail:
            ledger.drop(f"{at}.detail")
        told: dict[str, Any] = {}
        format = format_of(media.kind, media.type)
        if media.source == "text" and not ledger.native:
            format = "txt"
        if ledger.native and not media.type:
            format = ""
        if format is None:
            ledger.refuse(at, f"{media.kind} of type {media.type[:80]!r}")
        if format:
            told["format"] = format
        if media.kind == "document":
            name = media.name
            if not ledger.native:
                name = document_name(name, self._names)
            if name:
                told["name"] = name
        told["source"] = self._source(media, at)
        return {media.kind: told}

    def _source(self, media: Media, at: str) -> dict[str, Any]:
        ledger = self._ledger
        if media.source == "base64":
            return {"bytes": media.value}
        if media.source == "text":
            if ledger.native:
                return {"text": media.value}
            data = media.value.encode("utf-8", "replace")
            return {"bytes": b64encode(data).decode()}
        # Amazon's own store is the one place Converse fetches from.
        if media.source == "file" and not ledger.native:
            ledger.refuse(at, "the file id is another provider's")
        if media.source == "url" and not media.value.startswith("s3://"):
            ledger.refuse(at, f"{media.kind} by URL")
        return {"s3Location": {"uri": media.value}}
