"""
Golden conversions: what each fixture of a dialect becomes in every other.

``fixtures/conversions/<source>-to-<target>/`` holds answers and streams by the names of
the fixtures they come from, and in ``requests/`` what calls are rendered as.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from aigw import framing
from aigw.errors import BadRequest
from aigw.model.rendered import Rendered, Target
from aigw.streaming.convert import Converted, ConvertedWhole

from .requests import request
from .streams import (
    CHAT_DIALECTS,
    ROOT,
    bytes_of,
    call_of,
    chat,
    fixtures,
    stream_of,
    streams,
    suffix_of,
)

GOLDEN = ROOT.parent / "conversions"
PAIRS = [
    (one, other) for one in CHAT_DIALECTS for other in CHAT_DIALECTS if one != other
]

#: The path of a request, and a model to ask for where a call is rendered.
PATHS = {
    "openai-chat": "/v1/chat/completions",
    "openai-responses": "/v1/responses",
    "anthropic-messages": "/v1/messages",
    "bedrock-converse": "/model/us.anthropic.claude-sonnet-4-5-20250929-v1:0/converse",
    "gemini": "/v1beta/models/gemini-3-pro-preview:generateContent",
}
MODELS = {
    "openai-chat": "gpt-5-mini",
    "openai-responses": "gpt-5-mini",
    "anthropic-messages": "claude-sonnet-4-5",
    "bedrock-converse": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "gemini": "gemini-3-pro-preview",
}


def requests() -> list[Any]:
    """(dialect, name) of all fixtures that are requests."""
    return [
        (path.parent.parent.name, path.stem)
        for path in sorted(ROOT.glob("*/requests/*.json"))
    ]


def rendered(source: str, target: str, name: str) -> bytes:
    """What a request becomes: its body and what was dropped, or why it is refused."""
    body = (ROOT / source / "requests" / f"{name}.json").read_bytes()
    call = chat(source).parse(request(PATHS[source], body))
    told: dict[str, Any]
    try:
        made = chat(target).render(call, Target(model=MODELS[target]))
    except BadRequest as error:
        told = {"refused": error.message}
    else:
        told = {"body": msgspec.json.decode(made.body), "dropped": made.dropped}
    return msgspec.json.format(msgspec.json.encode(told)) + b"\n"


def stream(source: str, target: str, name: str) -> bytes:
    """What a stream becomes."""
    ours, theirs = chat(target), chat(source)
    way = Converted(
        framing.get(theirs.framing),
        theirs.reader(Rendered(b"")),
        ours.writer(call_of(target, include_usage=True), 1751445600, "req-1"),
        framing.get(ours.framing),
    )
    return way.feed(stream_of(source, name)) + way.end()


def whole(source: str, target: str, name: str) -> bytes:
    """What a whole answer becomes."""
    way = ConvertedWhole(
        chat(source).reader(Rendered(b"")),
        chat(target).writer(call_of(target, include_usage=True), 1751445600, "req-1"),
    )
    way.feed(bytes_of(source, name, ".json"))
    return way.end() + b"\n"


def goldens() -> dict[Path, bytes]:
    """Where every golden file stands, and what is to be in it."""
    found: dict[Path, bytes] = {}
    for source, target in PAIRS:
        folder = GOLDEN / f"{source}-to-{target}"
        for dialect, name in streams():
            if dialect == source:
                path = folder / f"{name}{suffix_of(target)}"
                found[path] = stream(source, target, name)
        for dialect, name in fixtures(".json"):
            if dialect == source:
                found[folder / f"{name}.json"] = whole(source, target, name)
        for dialect, name in requests():
            if dialect == source:
                path = folder / "requests" / f"{name}.json"
                found[path] = rendered(source, target, name)
    return found
