"""Log probabilities of an answer's text, as Responses writes them."""

from __future__ import annotations

from typing import Any

from aigw.dialects import failures

_TOP = "top_logprobs"


def content_of(raw: bytes) -> list[dict[str, Any]]:
    """
    Those of the text, out of OpenAI's chat form. What is optional there must be here:
    ``bytes`` and ``top_logprobs``.
    """
    told = failures.decoded(raw)
    given = told.get("content") if isinstance(told, dict) else None
    return [
        {**_entry(one), _TOP: list(map(_entry, _known(one.get(_TOP))))}
        for one in _known(given)
    ]


def _known(given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list):
        return []
    return [
        one
        for one in given
        if isinstance(one, dict)
        and isinstance(one.get("token"), str)
        and isinstance(one.get("logprob"), int | float)
    ]


def _entry(one: dict[str, Any]) -> dict[str, Any]:
    token: str = one["token"]
    given = one.get("bytes")
    octets = (
        given if isinstance(given, list) else list(token.encode("utf-8", "replace"))
    )
    return {"token": token, "bytes": octets, "logprob": one["logprob"]}
