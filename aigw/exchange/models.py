"""
The list of models, as the gateway itself answers it: from the configuration, or of what
the instances have, in the words of whoever asks: OpenAI's clients
(https://platform.openai.com/docs/api-reference/models), Anthropic's
(https://docs.claude.com/en/api/models-list) or Google's
(https://ai.google.dev/api/models).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from aigw.errors import NotFound
from aigw.model.envelope import Envelope
from aigw.model.headers import first

_LIST: Final = re.compile(r"/(v1|v1beta)/models(?:/(.+?))?/?\Z")


@dataclass(frozen=True, slots=True)
class Asked:
    """
    What a request for models asks.

    :ivar dialect: of whom the client is.
    :ivar model: the one it asks for, ``""`` where it asks for all.
    """

    dialect: str
    model: str = ""


def asked_for(envelope: Envelope) -> Asked | None:
    """What ``envelope`` asks; None where it is not the list or one model of it."""
    if envelope.method not in ("GET", "HEAD"):
        return None
    found = _LIST.match(envelope.path)
    if found is None:
        return None
    model = found[2] or ""
    if found[1] == "v1beta" or first(envelope.headers, b"x-goog-api-key") is not None:
        return Asked("gemini", model)
    if first(envelope.headers, b"anthropic-version") is not None:
        return Asked("anthropic-messages", model)
    return Asked("openai-chat", model)


def listed(models: Sequence[str], asked: Asked) -> bytes:
    """
    The JSON that answers.

    :param models: their names.
    :raises NotFound: there is no such model.
    """
    one = _SHAPES[asked.dialect]
    if asked.model:
        if asked.model not in models:
            text = f"the model {asked.model[:100]!r} does not exist"
            raise NotFound(text, kind="model_not_found")
        return msgspec.json.encode(one(asked.model))
    told = [one(name) for name in models]
    if asked.dialect == "gemini":
        return msgspec.json.encode({"models": told})
    if asked.dialect == "openai-chat":
        return msgspec.json.encode({"object": "list", "data": told})
    ends = (models[0], models[-1]) if models else (None, None)
    return msgspec.json.encode(
        {"data": told, "has_more": False, "first_id": ends[0], "last_id": ends[1]}
    )


def _openai(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "aigw"}


def _anthropic(name: str) -> dict[str, Any]:
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": "1970-01-01T00:00:00Z",
    }


def _gemini(name: str) -> dict[str, Any]:
    verbs = ["generateContent", "streamGenerateContent"]
    return {
        "name": f"models/{name}",
        "displayName": name,
        "supportedGenerationMethods": verbs,
    }


_SHAPES: Final = {
    "openai-chat": _openai,
    "anthropic-messages": _anthropic,
    "gemini": _gemini,
}
