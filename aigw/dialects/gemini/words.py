"""Words of Gemini: finish reasons, names, ids, what models take, who signs."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Final

from aigw.dialects import foreign
from aigw.dialects.google import VENDOR
from aigw.dialects.names import Fit
from aigw.model.finish import Finish
from aigw.model.part import Redacted, Signature, Thinking

NAME: Final = "gemini"


class _ToolName(Fit):
    """A name must also begin with a letter or an underscore."""

    __slots__ = ()

    def __call__(self, name: str) -> str:
        fitted = super().__call__(name)
        if fitted[0].isalpha() or fitted[0] == "_":
            return fitted
        # A character that never fits: it becomes the underscore in front.
        return super().__call__(f"\0{name}")


TOOL_NAME: Final = _ToolName("a-zA-Z0-9_.-", 64)

_MADE = re.compile(r"gcall_[0-9a-f]{24}")


def made_id(*place: object) -> str:
    """The id of a call that has none, by its place and name."""
    text = "/".join(map(str, place)).encode("utf-8", "surrogatepass")
    return f"gcall_{sha256(text).hexdigest()[:24]}"


def is_made(id: str) -> bool:
    """Whether it is no id of the vendor's, but of :func:`made_id`."""
    return _MADE.fullmatch(id) is not None


# -- finish reasons

_FILTERS: Final = (
    "SAFETY RECITATION LANGUAGE BLOCKLIST PROHIBITED_CONTENT SPII IMAGE_SAFETY "
    "IMAGE_PROHIBITED_CONTENT IMAGE_RECITATION MODEL_ARMOR JAILBREAK"
).split()
_MALFORMED: Final = (
    "MALFORMED_FUNCTION_CALL UNEXPECTED_TOOL_CALL TOO_MANY_TOOL_CALLS "
    "MALFORMED_RESPONSE"
).split()
_READ: Final = {
    "STOP": Finish.STOP,
    "MAX_TOKENS": Finish.LENGTH,
    **dict.fromkeys(_FILTERS, Finish.FILTERED),
    **dict.fromkeys(_MALFORMED, Finish.MALFORMED),
}
_WRITTEN: Final = {
    Finish.LENGTH: "MAX_TOKENS",
    Finish.CONTEXT: "MAX_TOKENS",
    Finish.FILTERED: "SAFETY",
    Finish.REFUSAL: "SAFETY",
    Finish.MALFORMED: "MALFORMED_FUNCTION_CALL",
    Finish.OTHER: "OTHER",
}


def finish_word_of(value: object) -> str:
    """The finish reason found in an answer, ``""`` where it is none yet."""
    return (
        value if isinstance(value, str) and value != "FINISH_REASON_UNSPECIFIED" else ""
    )


def finish_of(native: str, called: bool) -> Finish:
    """
    :param called: whether tools were called, for which there is no word.
    """
    finish = _READ.get(native, Finish.OTHER)
    return Finish.TOOL_CALLS if called and finish is Finish.STOP else finish


def finish_word(finish: Finish, native: str) -> str:
    """The provider's own word where it is one of Gemini's that says the same."""
    if _READ.get(native) is finish:
        return native
    return _WRITTEN.get(finish, "STOP")


# -- signatures

#: ``aigw.`` in base64: a signature is bytes here, and clients decode it.
_PACKED = re.compile(rf"aigw\.(signed|redacted)\.({foreign.VENDOR})\.(.*)", re.S)


def packed(signature: Signature, redacted: bool = False) -> str:
    """``thoughtSignature`` for a client, whoever signed; base64 in any case."""
    if signature.vendor == VENDOR:
        return signature.value
    form = "redacted" if redacted else "signed"
    text = f"aigw.{form}.{foreign.word(signature.vendor)}.{signature.value}"
    return urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode()


def unpacked(value: str) -> tuple[Signature, bool]:
    """The inverse of :func:`packed`: the signature, and whether it is redacted."""
    if value.startswith("YWlndy"):  # nothing else is decoded
        try:
            raw = b64decode(value.translate(_STANDARD) + "==")
            found = _PACKED.fullmatch(raw.decode())
            if found is not None:
                return Signature(found[2], found[3]), found[1] == "redacted"
        except (binascii.Error, ValueError):
            pass
    return Signature(VENDOR, value), False


def thought_of(text: str, value: str) -> Thinking | Redacted:
    """A part marked as thought; ``value`` its signature, ``""`` for none."""
    if not value:
        return Thinking(text)
    signature, redacted = unpacked(value)
    return Redacted(signature) if redacted else Thinking(text, signature)


_STANDARD = str.maketrans("-_", "+/")


def standard(data: str) -> str:
    """Base64 of either alphabet (RFC 4648, sections 4 and 5) in the usual one."""
    return data.translate(_STANDARD) if "-" in data or "_" in data else data


def kind_of(type: str) -> str:
    """What a media type is of, in the words of :class:`aigw.model.part.Media`."""
    kind = type.partition("/")[0].lower()
    return kind if kind in ("image", "audio", "video") else "document"
