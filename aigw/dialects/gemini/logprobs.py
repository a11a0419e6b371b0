"""``logprobsResult`` in OpenAI's form, and back."""

from __future__ import annotations

from typing import Any

import msgspec


def read(told: object) -> bytes | None:
    """OpenAI's form, raw JSON; None where nothing is told."""
    chosen = _dicts(told, "chosenCandidates")
    top = _dicts(told, "topCandidates")
    if not chosen:
        return None
    content: list[dict[str, Any]] = []
    for place, one in enumerate(chosen):
        others = _dicts(top[place], "candidates") if place < len(top) else []
        content.append({**_token(one), "top_logprobs": list(map(_token, others))})
    return msgspec.json.encode({"content": content, "refusal": None})


def write(raw: bytes) -> dict[str, Any] | None:
    """The inverse of :func:`read`."""
    try:
        told = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return None
    content = _dicts(told, "content")
    if not content:
        return None
    top = [
        {"candidates": list(map(_chosen, _dicts(one, "top_logprobs")))}
        for one in content
    ]
    return {"chosenCandidates": list(map(_chosen, content)), "topCandidates": top}


def _dicts(told: object, name: str) -> list[dict[str, Any]]:
    found = told.get(name) if isinstance(told, dict) else None
    if not isinstance(found, list):
        return []
    return [one for one in found if isinstance(one, dict)]


def _token(one: dict[str, Any]) -> dict[str, Any]:
    token, value = one.get("token"), one.get("logProbability")
    text = token if isinstance(token, str) else ""
    return {
        "token": text,
        "logprob": value if isinstance(value, int | float) else 0.0,
        "bytes": list(text.encode("utf-8", "replace")),
    }


def _chosen(one: dict[str, Any]) -> dict[str, Any]:
    return {"token": one.get("token"), "logProbability": one.get("logprob")}
