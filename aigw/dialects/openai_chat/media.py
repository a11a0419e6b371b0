"""Media in chat completions: data URIs, audio formats, files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aigw.dialects import data_uri
from aigw.dialects.json_object import JSONObject, wrong
from aigw.dialects.ledger import Ledger
from aigw.model.part import Cache, Media, Rider

_AUDIO = {"mp3": "audio/mpeg", "wav": "audio/wav"}
_FORMATS = {
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
}


def read_image(part: JSONObject) -> Media:
    """An ``image_url`` part; the URL may stand there bare, as some clients send it."""
    raw = part.look("image_url")
    detail = ""
    if raw is not None and raw[:1] == b'"':
        url = part.string("image_url")
    else:
        image = part.object("image_url")
        if image is None:
            wrong(part.at("image_url"), "an object")
        url = image.string("url")
        detail = image.string("detail") or ""
    if url is None:
        wrong(part.at("image_url.url"), "a string")
    found = data_uri.split(url)
    if found is None:
        return Media("image", "url", url, detail=detail)
    return Media("image", "base64", found[1], type=found[0], detail=detail)


def read_audio(part: JSONObject) -> Media:
    audio = part.object("input_audio")
    data = audio.string("data") if audio is not None else None
    if audio is None or data is None:
        wrong(part.at("input_audio.data"), "a string")
    format = audio.string("format") or ""
    return Media("audio", "base64", data, type=_AUDIO.get(format, f"audio/{format}"))


def read_file(part: JSONObject) -> Media:
    file = part.object("file")
    if file is None:
        wrong(part.at("file"), "an object")
    name = file.string("filename") or ""
    data = file.string("file_data")
    if data is not None:
        found = data_uri.split(data)
        type, value = found if found is not None else ("", data)
        return Media("document", "base64", value, type=type, name=name)
    id = file.string("file_id")
    if id is None:
        wrong(part.at("file.file_data"), "a string")
    return Media("document", "file", id, name=name)


def write_media(
    media: Media, at: str, ledger: Ledger, files: bool
) -> dict[str, Any] | None:
    """
    The content part of ``media``; None where there is nothing in it.

    :param files: whether documents are files to the provider.
    :raises BadRequest: chat completions cannot carry it.
    """
    if media.source == "file" and not (ledger.native and media.kind == "document"):
        ledger.refuse(at, "the file id is another provider's")
    if media.kind == "image":
        return _image(media, at, ledger)
    if media.kind == "document":
        return _document(media, at, ledger, files)
    if media.kind == "audio" and media.source == "base64":
        format = _FORMATS.get(media.type)
        if format is None and ledger.native:
            format = media.type.removeprefix("audio/")
        if format is None:
            ledger.refuse(at, f"audio of type {media.type!r}")
        return {
            "type": "input_audio",
            "input_audio": {"data": media.value, "format": format},
        }
    ledger.refuse(at, f"{media.kind} input")


def _image(media: Media, at: str, ledger: Ledger) -> dict[str, Any] | None:
    if media.source == "text":
        ledger.refuse(at, "an image made of text")
    if not media.value:
        return None
    url = media.value
    if media.source == "base64":
        url = data_uri.join(media.type or "image/png", url)
    image = {"url": url}
    if media.detail:
        image["detail"] = media.detail
    return {"type": "image_url", "image_url": image}


def _document(
    media: Media, at: str, ledger: Ledger, files: bool
) -> dict[str, Any] | None:
    if not media.value:
        return None
    if media.source == "text":
        return {"type": "text", "text": media.value}
    if media.source == "url":
        ledger.refuse(at, "a document by URL")
    if media.source == "base64" and not files:
        # Reference section 3.6: compatible servers take PDF where they take images.
        url = data_uri.join(media.type or "application/pdf", media.value)
        return {"type": "image_url", "image_url": {"url": url}}
    file = {"filename": media.name} if media.name else {}
    if media.source == "base64" and not ledger.native:
        file.setdefault("filename", "document")  # data is refused without
    if media.source == "file":
        file["file_id"] = media.value
    elif media.type:
        file["file_data"] = data_uri.join(media.type, media.value)
    else:
        file["file_data"] = media.value
    return {"type": "file", "file": file}


def with_more(media: Media, cache: Cache | None, rider: Rider) -> Media:
    """``media`` with what stands beside it in its part."""
    return replace(media, cache=cache, rider=rider) if cache or rider else media
