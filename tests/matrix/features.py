"""What is tried in each cell; each feature is a function that asserts."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from .cell import Cell, failure
from .reasons import EXTENDED, TEXT_SIGNED, UNASKED, note
from .truth import Truth
from .turns import SCHEMA, Asking, Told, Usage


def _png() -> bytes:
    """A picture of two pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", 2, 1, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\x00\x00\xff")
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    return start + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


PNG: Final = _png()

#: Each vendor has one of these.
OVERLOADED: Final = (503, 529)


def text(cell: Cell) -> None:
    """A whole answer: its text, its usage, its stop reason."""
    told = cell.ask()
    _same(cell, told, cell.truth("text"), "stop")


def stream(cell: Cell) -> None:
    """A streamed answer: what the whole one says, in as many pieces as were sent."""
    told = cell.ask("n5", stream=True)
    whole = cell.ask("n5")
    assert told.text == whole.text != ""
    assert told.pieces == 5, f"{told.pieces} pieces of 5"
    assert told.stop == whole.stop == cell.client.words.stop, told.stop
    _used(told, whole.usage)
    assert told.usage is not None
    assert told.usage.output == 5


def one_tool(cell: Cell) -> None:
    """A call of a tool, whole and streamed."""
    _calls(cell, "tool", 1)


def two_tools(cell: Cell) -> None:
    """Two calls in one answer, whole and streamed."""
    _calls(cell, "tools", 2)


def result(cell: Cell) -> None:
    """The results of two calls go back, each to its own call."""
    truth = cell.truth("tools")
    for streamed in (False, True):
        asking = cell.asking("tools", tools=True, stream=streamed)
        first = cell.say(asking)
        told = cell.say(_answered(asking, first, cell.upstream.model()))
        _results_told(told)
        assert told.stop == cell.client.words.stop
        sent = cell.sent()
        values = list(sent.all())
        for id, name, arguments in truth.calls:
            assert not id or values.count(id) == 2, f"{id} is not in call and result"
            assert sent.has(arguments), f"the arguments of {name} are lost"


def thinking(cell: Cell) -> None:
    """
    Reasoning is told, and its signatures come back to the provider: behind the answer,
    and where the answer called tools, with their results.
    """
    said = note(cell.client.dialect, cell.upstream.dialect, "reasoning")
    truth = cell.truth("thinking")
    for streamed in (False, True):
        asking = cell.asking("thinking", think=True, stream=streamed)
        first = cell.say(asking)
        _reasoned(cell, first, truth, "stop")
        cell.say(asking.after(first, cell.upstream.model(), then="And then?"))
        if said == EXTENDED:
            assert cell.sent().has(truth.thought), "the reasoning did not come back"
        elif said != TEXT_SIGNED:
            _signed(cell, truth)
    scenario = "signed" if said == EXTENDED else "thinktools"
    truth = cell.truth(scenario)
    for streamed in (False, True):
        asking = cell.asking(scenario, think=True, tools=True, stream=streamed)
        first = cell.say(asking)
        _reasoned(cell, first, truth, "tool_calls")
        _results_told(cell.say(_answered(asking, first, cell.upstream.model())))
        _signed(cell, truth)


def redacted(cell: Cell) -> None:
    """Reasoning that only its vendor can read comes back to it."""
    truth = cell.truth("redacted")
    for streamed in (False, True):
        asking = cell.asking("redacted", think=True, stream=streamed)
        first = cell.say(asking)
        assert not first.thought
        _same(cell, first, truth, "stop")
        cell.say(asking.after(first, cell.upstream.model(), then="And then?"))
        _signed(cell, truth)


def _answered(asking: Asking, first: Told, model: str) -> Asking:
    """The turn with the results of the calls in ``first``."""
    results = {call.id: f"result of {call.name}" for call in first.calls}
    return asking.after(first, model, results=results)


def _results_told(told: Told) -> None:
    """The mock provider says what it was given for which tool."""
    for name in ("get_weather", "get_time"):
        assert f"{name} returned: result of {name}" in told.text, told.text


def _reasoned(cell: Cell, told: Told, truth: Truth, stop: str) -> None:
    _same(cell, told, truth, stop)
    hidden = note(cell.client.dialect, cell.upstream.dialect, "reasoning") == UNASKED
    assert truth.thought
    assert told.thought == ("" if hidden else truth.thought), told.thought


def _signed(cell: Cell, truth: Truth) -> None:
    assert truth.signatures
    values = list(cell.sent().all())
    for signature in truth.signatures:
        number = values.count(signature)
        assert number == 1, f"{signature} came back {number} times"


def image(cell: Cell) -> None:
    """A picture reaches the provider, byte for byte."""
    told = cell.ask(image=PNG).text
    assert f"I was shown image/png of {len(PNG)} bytes." in told, told
    # Gemini's client codes bytes in the URL-safe alphabet.
    plain = str.maketrans("-_", "+/")
    values = cell.sent().all()
    texts = [value.translate(plain) for value in values if isinstance(value, str)]
    data = base64.b64encode(PNG).decode()
    assert any(text.endswith(data) for text in texts), "the picture is lost"


def usage(cell: Cell) -> None:
    """Cached input is told as such, in whole answers and streamed ones."""
    truth = cell.truth("cached")
    assert truth.usage is not None
    assert truth.usage.cached > 0
    for streamed in (False, True):
        _used(cell.ask("cached", stream=streamed), truth.usage)


def length(cell: Cell) -> None:
    """An answer cut short by its cap says so; the other reasons stand elsewhere."""
    for streamed in (False, True):
        _same(cell, cell.ask("length", stream=streamed), cell.truth("length"), "length")


def filtered(cell: Cell) -> None:
    """An answer that was broken off for what it says: how far it came, and why."""
    scenario, stop = ("filter", "filtered")
    if cell.upstream.answers == "anthropic-messages":
        scenario = stop = "refusal"
    for streamed in (False, True):
        _same(cell, cell.ask(scenario, stream=streamed), cell.truth(scenario), stop)


def empty(cell: Cell) -> None:
    """An answer that holds nothing is one all the same."""
    for streamed in (False, True):
        _same(cell, cell.ask("empty", stream=streamed), cell.truth("empty"), "stop")


def errors(cell: Cell) -> None:
    """The provider's errors are raised as the client's own classes."""
    for sent in cell.upstream.statuses:
        status = sent
        if sent in OVERLOADED and not cell.native:
            status = cell.client.words.overloaded
        for streamed in (False, True):
            knobs = f"status{sent}"
            told = failure(partial(cell.ask, knobs, stream=streamed))
            assert told.name == cell.client.words.errors[status], f"{status}: {told}"
            assert f"asked for status {sent}" in told.message, told
            assert told.status == status, told


def broken_stream(cell: Cell) -> None:
    """An error in a stream is raised, with the provider's words."""
    told = failure(lambda: cell.ask("n5-d5-error4", stream=True))
    said, words = cell.upstream.broken
    raised = cell.client.words.broken
    if cell.native:
        # Told as the provider told it.
        said = "native" if "native" in raised else said
    assert told.name == raised[said], told
    assert words in told.message, told


def structured(cell: Cell) -> None:
    """The schema of the answer reaches the provider."""
    assert cell.ask(schema=True).text
    assert cell.sent().has(SCHEMA), "the schema is lost"


def count(cell: Cell) -> None:
    """The provider counts the tokens."""
    prompt = f"{cell.mark} What is a stream?"
    assert cell.client.count(cell.upstream.model(), prompt) == 14


#: In the order of the table's columns: heading to what is tried.
FEATURES: Final[Mapping[str, Callable[[Cell], None]]] = {
    "text": text,
    "stream": stream,
    "one call": one_tool,
    "two calls": two_tools,
    "results": result,
    "reasoning": thinking,
    "redacted": redacted,
    "image": image,
    "usage": usage,
    "length": length,
    "filtered": filtered,
    "empty": empty,
    "errors": errors,
    "error in stream": broken_stream,
    "schema": structured,
    "counting": count,
}


def _calls(cell: Cell, scenario: str, number: int) -> None:
    truth = cell.truth(scenario)
    assert len(truth.calls) == number
    for streamed in (False, True):
        told = cell.ask(scenario, tools=True, stream=streamed)
        _same(cell, told, truth, "tool_calls")
        if streamed and not cell.whole_calls:
            assert all(call.pieces > 1 for call in told.calls), "not in pieces"


def _same(cell: Cell, told: Told, truth: Truth, stop: str) -> None:
    assert told.text == truth.text, told.text
    assert told.stop == getattr(cell.client.words, stop), told.stop
    _used(told, truth.usage)
    calls: list[Any] = [(call.name, json.loads(call.arguments)) for call in told.calls]
    assert calls == [(name, arguments) for _, name, arguments in truth.calls], calls
    ids = [call.id for call in told.calls]
    assert all(ids), f"calls without an id: {ids}"
    assert len(set(ids)) == len(ids), f"calls share an id: {ids}"
    for id, (own, _, _) in zip(ids, truth.calls, strict=True):
        assert not own or id == own, f"{id} is not {own}"


def _used(told: Told, truth: Usage | None) -> None:
    assert told.usage is not None, "no usage"
    assert truth is not None
    assert told.usage.fresh == truth.fresh, (told.usage, truth)
    assert told.usage.cached == truth.cached, (told.usage, truth)
    assert told.usage.output == truth.output, (told.usage, truth)
    if told.usage.reasoning is not None:
        assert told.usage.reasoning == (truth.reasoning or 0), (told.usage, truth)
