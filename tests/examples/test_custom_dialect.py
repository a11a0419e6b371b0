"""The example dialect runs, keeps the interface, and meets the other dialects."""

from __future__ import annotations

import json
import runpy
import shutil
from pathlib import Path
from typing import Any

import pytest

from aigw.dialects import get
from aigw.errors import BadRequest
from aigw.interfaces import IChatDialect
from aigw.model.envelope import Envelope
from aigw.model.event import Ended, Failed, Text
from aigw.model.frame import SSEFrame
from aigw.model.rendered import Rendered, Target
from aigw.testing.chat import check_chat
from aigw.testing.maker import check_maker
from aigw.testing.provider import check_provider
from tests.exchange.site import SSE, Site

from .test_custom_framing import ROOT, python

EXAMPLE = ROOT / "examples" / "custom_dialect.py"
MADE = runpy.run_path(str(EXAMPLE))
FRAMING = runpy.run_path(str(ROOT / "examples" / "custom_framing.py"))["NDJSON"]()
DIALECT: IChatDialect = MADE["OllamaChat"]()

LAST = (
    b'{"model": "llama3.2", "created_at": "2026-01-01T00:00:00Z", "message":'
    b' {"role": "assistant", "content": "%s"}, "done": true, "done_reason": "stop",'
    b' "prompt_eval_count": 26, "eval_count": 2}\n'
)
STREAM = (
    b'{"model": "llama3.2", "message": {"role": "assistant", "content": "Hel"},'
    b' "done": false}\n{"model": "llama3.2", "message": {"content": "lo"},'
    b' "done": false}\n' + LAST % b""
)
ERROR = b'{"model": "m", "message": {"content": "H"}}\n{"error": "out of memory"}\n'

BODIES: tuple[dict[str, Any], ...] = (
    {"model": "llama3.2", "messages": [{"role": "user", "content": "Hi"}]},
    {
        "model": "llama3.2",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi", "images": []},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": "Bye"},
        ],
        "stream": False,
        "keep_alive": "5m",
        "options": {"temperature": 0.5, "num_predict": 9, "stop": ["."], "num_ctx": 9},
    },
)


def request(body: dict[str, Any]) -> Envelope:
    envelope = Envelope("POST", "/api/chat", b"/api/chat", b"", [])
    envelope.open(json.dumps(body).encode())
    return envelope


def converted(body: dict[str, Any], name: str = "openai-chat") -> Rendered:
    return IChatDialect(get(name)).render(DIALECT.parse(request(body)), Target())


def test_it_keeps_the_interface() -> None:
    check_chat(
        DIALECT,
        list(map(request, BODIES)),
        streams=[STREAM, ERROR],
        answers=[LAST % b"Hello", LAST.replace(b'"stop"', b'"length"') % b""],
        framing=FRAMING,
    )


def test_its_makers_and_its_provider_keep_theirs() -> None:
    check_maker(MADE["ollama_chat"])
    check_maker(MADE["ollama_provider"])
    check_provider(MADE["ollama_provider"].make({}, None))


def test_what_another_dialect_cannot_say_is_listed() -> None:
    rendered = converted(BODIES[1])
    assert json.loads(rendered.body) == {
        "model": "llama3.2",
        "messages": [
            {key: message[key] for key in ("role", "content")}
            for message in BODIES[1]["messages"]
        ],
        "temperature": 0.5,
        "max_completion_tokens": 9,
        "stop": ["."],
    }
    assert {"keep_alive", "options.num_ctx"} < set(rendered.dropped)


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"tools": [{}]}, "tools"),
        ({"format": "json"}, "format"),
        ({"messages": [{"role": "user", "images": ["aGk="]}]}, "messages[0].images"),
        ({"messages": [{"role": "tool", "content": "18"}]}, "messages[0].role"),
    ],
)
def test_what_the_answer_would_be_wrong_without_is_refused(
    more: dict[str, Any], path: str
) -> None:
    with pytest.raises(BadRequest) as refused:
        converted(BODIES[0] | more)
    assert path in refused.value.message


def test_tools_of_other_dialects_are_refused_by_their_name() -> None:
    tool = {"type": "function", "function": {"name": "look"}}
    envelope = Envelope("POST", "/v1/chat/completions", b"", b"", [])
    envelope.open(json.dumps({**BODIES[0], "tools": [tool]}).encode())
    call = IChatDialect(get("openai-chat")).parse(envelope)
    with pytest.raises(BadRequest, match="tools cannot be sent"):
        DIALECT.render(call, Target())


def test_an_error_in_a_stream_ends_it() -> None:
    reader = DIALECT.reader(Rendered(b"{}"))
    told = [event for frame in FRAMING.decode(ERROR) for event in reader.feed(frame)]
    assert isinstance(told[-1], Failed)
    assert told[-1].message == "out of memory"
    assert reader.feed(SSEFrame(data=LAST)) == []


def test_a_line_that_is_no_json_is_not_left_out() -> None:
    reader = DIALECT.reader(Rendered(b"{}"))
    (told,) = reader.feed(SSEFrame(data=b'{"message'))
    assert isinstance(told, Failed)


def test_a_stream_without_its_last_line_is_not_taken_for_complete() -> None:
    reader = DIALECT.reader(Rendered(b"{}"))
    frames = FRAMING.decode(STREAM)[:-1]
    told = [event for frame in frames for event in reader.feed(frame)] + reader.end()
    assert [event.text for event in told if isinstance(event, Text)] == ["Hel", "lo"]
    assert not any(isinstance(event, Ended) for event in told)


def test_its_client_is_answered_by_a_provider_of_another_dialect() -> None:
    here = Site(dialects=[DIALECT], framings=[FRAMING])
    body = json.dumps(BODIES[0]).encode()
    client = here.ask(body, target=b"/v1/api/chat")
    assert here.call.outbound.target == b"/v1/chat/completions"
    here.call.head(200, SSE)
    here.call.body(
        b'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n'
        b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}\n\n'
        b"data: [DONE]\n\n"
    )
    here.call.ended()
    lines = [json.loads(line) for line in client.written.splitlines()]
    assert [line["message"]["content"] for line in lines] == ["Hello", ""]
    assert [line["done"] for line in lines] == [False, True]
    assert lines[-1]["done_reason"] == "length"


def test_its_client_is_told_errors_in_its_words() -> None:
    here = Site(dialects=[DIALECT], framings=[FRAMING])
    body = json.dumps(BODIES[0] | {"tools": [{}]}).encode()
    client = here.ask(body, target=b"/v1/api/chat")
    assert client.status == 400
    assert "tools" in json.loads(client.written)["error"]


@pytest.mark.process
def test_it_prints_what_its_first_lines_promise() -> None:
    printed = python(str(EXAMPLE), path=[ROOT]).splitlines()
    promised = (MADE["__doc__"] or "").split("custom_dialect.py\n")[1].splitlines()
    promised = [line.strip().partition("...")[0] for line in promised[: len(printed)]]
    assert len(printed) == 4
    assert all(map(str.startswith, printed, promised))


SCRIPT = """
from twisted.internet.task import Clock
from aigw.extensions import Extensions

FILE = '''
routes:
- uri: /*
  plugins:
    ai-proxy:
      provider: ollama-chat
      auth: {}
      override: {endpoint: "http://127.0.0.1:11434"}
'''
extensions = Extensions(Clock())
extensions.load(FILE.encode(), {})
print(*(each.name for each in (*extensions.framings, *extensions.dialects)))
"""


@pytest.mark.process
def test_copied_into_aigw_plugins_it_is_found_beside_its_framing(
    tmp_path: Path,
) -> None:
    plugins = tmp_path / "aigw" / "plugins"
    plugins.mkdir(parents=True)
    shutil.copy(EXAMPLE, plugins / "ollama_chat.py")
    shutil.copy(EXAMPLE.with_name("custom_framing.py"), plugins / "ndjson.py")
    assert python("-c", SCRIPT, path=[ROOT, tmp_path]) == "ndjson ollama-chat\n"
