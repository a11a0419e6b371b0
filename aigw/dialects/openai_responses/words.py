"""Words of Responses: names, why an answer ended, and who signed reasoning."""

from __future__ import annotations

import re
from typing import Final

from aigw.dialects import foreign
from aigw.dialects.names import Fit
from aigw.model.finish import Finish
from aigw.model.part import Signature

NAME: Final = "openai-responses"
VENDOR: Final = "openai"

CALL_ID: Final = Fit(r"\x20-\x7e", 64)

#: ``incomplete_details.reason`` to the neutral reason, and back.
_INCOMPLETE: Final = {
    "max_output_tokens": Finish.LENGTH,
    "content_filter": Finish.FILTERED,
}
_WRITTEN: Final = {
    Finish.LENGTH: "max_output_tokens",
    Finish.CONTEXT: "max_output_tokens",
    Finish.FILTERED: "content_filter",
}

#: ``encrypted_content`` with reasoning of another vendor in it: ours to take apart.
_FOREIGN = re.compile(rf"aigw\.(signed|redacted)\.({foreign.VENDOR})\.(.*)", re.S)
_OWN = re.compile(r"(rs_[A-Za-z0-9_-]+):(.*)", re.S)


#: The formats of images that an answer may name, by media type.
_IMAGES: Final = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/svg+xml": "svg",
}


def image_format(type: str) -> str:
    """The name of an image's format, ``""`` where the dialect has none."""
    return _IMAGES.get(type, "")


def finish_of(status: str, why: str, called: bool) -> Finish:
    """
    :param why: ``incomplete_details.reason``.
    :param called: whether the answer holds tool calls.
    """
    if status == "incomplete":
        return _INCOMPLETE.get(why, Finish.OTHER)
    return Finish.TOOL_CALLS if called else Finish.STOP


def incomplete_word(finish: Finish) -> str:
    """``incomplete_details.reason``, ``""`` where the answer counts as complete."""
    return _WRITTEN.get(finish, "")


def signed(id: str, encrypted: str) -> tuple[Signature, bool]:
    """
    The signature in a reasoning item, and whether the reasoning is redacted. The item's
    id belongs to it: OpenAI knows its own reasoning by both.
    """
    found = _FOREIGN.fullmatch(encrypted)
    if found is not None:
        return Signature(found[2], found[3]), found[1] == "redacted"
    if _OWN.fullmatch(encrypted) or not id:
        return Signature(VENDOR, encrypted), False
    return Signature(VENDOR, f"{id}:{encrypted}"), False


def encrypted(signature: Signature, redacted: bool) -> str:
    """``encrypted_content`` for a client, whoever signed."""
    if signature.vendor == VENDOR:
        return signature.value
    form = "redacted" if redacted else "signed"
    return f"aigw.{form}.{foreign.word(signature.vendor)}.{signature.value}"


def own(signature: Signature) -> tuple[str, str]:
    """Id and ``encrypted_content`` for OpenAI itself."""
    found = _OWN.fullmatch(signature.value)
    return (found[1], found[2]) if found else ("", signature.value)
