"""
Storms: random schedules of what providers, clients and clocks may do, on routes of all
kinds.
"""

from __future__ import annotations

import re
from random import Random
from typing import Any

import msgspec

from aigw.errors import ConnectFailed, UpstreamBroke, UpstreamTimeout
from aigw.model.headers import Headers
from aigw.model.instance import Deadlines, Endpoint, Instance, Streaming
from aigw.model.policy import BreakerRule, Hedge, Policy, Retry
from aigw.model.route import Route
from aigw.testing.downstream import MemoryDownstream
from aigw.testing.upstream import MemoryCall

from .site import JSON, SSE, Site

STATUSES = frozenset({429, *range(500, 600)})
PING = b": ping\n\n"
CLAUDE: Headers = [*JSON, (b"anthropic-version", b"2023-06-01")]
#: What answers say: ``[number of the call:number of the word]``.
WORD = re.compile(rb"\[(\d+):(\d+)\]")
ERROR = b'{"error":{"message":"boom","type":"server_error"}}'


class Witness:
    """Between a call and its receiver: what was told of an answer."""

    def __init__(self, call: MemoryCall) -> None:
        self._receiver = call.receiver
        self.status = 0
        self.data = b""
        self.over = False
        call.receiver = self  # type: ignore[assignment]  # it is told the same

    def head(self, status: int, headers: Headers) -> None:
        self.status = status
        self._receiver.head(status, headers)

    def body(self, data: bytes) -> None:
        self.data += data
        self._receiver.body(data)

    def ended(self) -> None:
        self.over = True
        self._receiver.ended()

    def failed(self, error: object) -> None:
        self.over = True
        self._receiver.failed(error)  # type: ignore[arg-type]  # as it came

    @property
    def words(self) -> int:
        """How many came, of a stream in whole frames."""
        if self.data.startswith(b"{"):
            return len(WORD.findall(self.data))
        return len(WORD.findall(self.data[: self.data.rfind(b"\n\n") + 1]))


class Script:
    """What a provider does to one call, a step at a time."""

    def __init__(self, random: Random, call: MemoryCall, number: int) -> None:
        self.call = call
        self.words = random.randint(0, 12)
        self.whole = False
        self._at_once = random.random() < 0.5
        self.steps: list[tuple[Any, ...]] = []
        asked = msgspec.json.decode(call.outbound.body)
        asker = call.outbound.headers
        messages = any(name == b"anthropic-version" for name, _ in asker)
        kind = random.choices(
            ["stream", "json", "error", "nothing"], [12, 2, 3, 1], k=1
        )[0]
        if kind == "nothing":
            self.steps = [end for end in [_end(random)] if end[0] == "failed"]
            return
        elif kind == "error":
            status = random.choice([400, 401, 429, 500, 503])
            self.steps = [("head", status, list(JSON)), ("body", ERROR)]
        elif kind == "json" or not asked.get("stream"):
            frames = [_answer(number, self.words, messages)]
            self._play(random, frames, JSON)
            return
        else:
            make = _anthropic if messages else _openai
            frames = [PING] * random.randint(0, 2) + make(number, self.words)
            self._play(random, frames, SSE)
            return
        self.steps.append(_end(random))

    def _play(self, random: Random, frames: list[bytes], kind: Headers) -> None:
        self.whole = random.random() < 0.5
        end: tuple[Any, ...] = ("ended",)
        if not self.whole:
            frames = frames[: random.randint(len(frames) // 3, len(frames))]
            if kind is SSE and random.random() < 0.3:
                frames.append(b"data: " + ERROR + b"\n\n")
            end = _end(random)
        data = b"".join(frames)
        if not self.whole and random.random() < 0.3:
            data = data[: random.randint(0, len(data))]
        self.steps = [("head", 200, list(kind))]
        while data:
            size = random.choice([1, 7, 60, 200, len(data)])
            self.steps.append(("body", data[:size]))
            data = data[size:]
        self.steps.append(end)

    def step(self) -> None:
        call = self.call
        if call.done or not self.steps:
            return
        name, *arguments = self.steps.pop(0)
        if name != "silent":
            getattr(self.call, name)(*arguments)
        if name == "head" and self._at_once and not (call.held or call.done):
            # In one read with the head: no pause comes between.
            if self.steps[:1] and self.steps[0][0] == "body":
                call.receiver.body(self.steps.pop(0)[1])


def _end(random: Random) -> tuple[Any, ...]:
    broke = [
        ("failed", UpstreamBroke("broke", reason="reset")),
        ("failed", UpstreamTimeout("late", reason="read")),
        ("failed", ConnectFailed("no", reason="unreachable")),
        ("silent",),
    ]
    return random.choice([("ended",), *broke])


def _said(number: int, words: int) -> list[str]:
    return [f"[{number}:{word}]" for word in range(words)]


def _openai(number: int, words: int) -> list[bytes]:
    told: list[object] = [{"choices": [_choice({"role": "assistant", "content": ""})]}]
    told += [{"choices": [_choice({"content": w})]} for w in _said(number, words)]
    told.append({"choices": [_choice({}, "stop")]})
    used = {"prompt_tokens": 3, "completion_tokens": words, "total_tokens": 3 + words}
    told.append({"choices": [], "usage": used})
    frames = [b"data: %s\n\n" % msgspec.json.encode(each) for each in told]
    return [*frames, b"data: [DONE]\n\n"]


def _choice(delta: object, reason: str | None = None) -> object:
    return {"index": 0, "delta": delta, "finish_reason": reason}


def _anthropic(number: int, words: int) -> list[bytes]:
    used = {"input_tokens": 3, "output_tokens": 0}
    message = {"id": "m", "type": "message", "role": "assistant", "content": []}
    message |= {"model": "m", "stop_reason": None, "usage": used}
    text = {"type": "text", "text": ""}
    told: list[dict[str, object]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": text},
    ]
    for word in _said(number, words):
        delta = {"type": "text_delta", "text": word}
        told.append({"type": "content_block_delta", "index": 0, "delta": delta})
    told.append({"type": "content_block_stop", "index": 0})
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    used = {"output_tokens": words}
    told.append({"type": "message_delta", "delta": stop, "usage": used})
    told.append({"type": "message_stop"})
    line = b"event: %s\ndata: %s\n\n"
    return [line % (str(e["type"]).encode(), msgspec.json.encode(e)) for e in told]


def _answer(number: int, words: int, messages: bool) -> bytes:
    text = "".join(_said(number, words))
    used: dict[str, object] = {"prompt_tokens": 3, "completion_tokens": words}
    if messages:
        used = {"input_tokens": 3, "output_tokens": words}
        told: dict[str, object] = {"type": "message", "role": "assistant", "id": "m"}
        told |= {"content": [{"type": "text", "text": text}], "model": "m"}
        return msgspec.json.encode(told | {"stop_reason": "end_turn", "usage": used})
    choice = {"index": 0, "finish_reason": "stop"}
    choice |= {"message": {"role": "assistant", "content": text}}
    return msgspec.json.encode({"id": "c", "choices": [choice], "usage": used})


def _maybe(random: Random, *values: float) -> float | None:
    return random.choice([None, None, *values])


def _instance(random: Random, name: str) -> Instance:
    return Instance(
        name=name,
        provider=random.choice(["openai-compatible", "openai-compatible", "anthropic"]),
        endpoint=Endpoint("http", f"{name}.test", 80),
        prefill=random.random() < 0.8,
        max_concurrent=random.choice([None, None, 1]),
        max_queued=random.choice([0, 5]),
        queue_timeout=1.0,
        deadlines=Deadlines(
            first_byte=_maybe(random, 0.3, 1.0),
            idle=_maybe(random, 0.5),
            total=_maybe(random, 1.0, 4.0),
            stream=_maybe(random, 2.0),
            client_stall=_maybe(random, 0.4),
        ),
        streaming=Streaming(
            flush=random.choice([0.0, 0.01]),
            heartbeat=random.choice([0.0, 0.0, 0.3]),
            max_response_bytes=random.choice([None, None, None, 600]),
            commit_hold=random.choice([0.0, 0.2, 1.0]),
            on_client_disconnect=random.choice(["abort", "drain"]),  # type: ignore[arg-type]  # one of both
            drain_seconds=2.0,
        ),
    )


class Storm:
    """One site, up to three clients, and whatever ``seed`` makes of them."""

    def __init__(self, seed: int) -> None:
        self.random = random = Random(seed)
        names = "abc"[: random.randint(1, 3)]
        self.instances = tuple(_instance(random, name) for name in names)
        chance = random.random
        policy = Policy(
            statuses=random.choice([frozenset(), STATUSES, STATUSES]),
            max_retries=random.choice([None, None, 1]),
            retry=random.choice([None, Retry(1, 0.1, 1.0)]),
            hedge=Hedge(0.2, random.randint(1, 2)) if chance() < 0.5 else None,
            continues=chance() < 0.6,
            breaker=BreakerRule(failures=2) if chance() < 0.2 else None,
        )
        self.policy = policy if chance() < 0.9 else None
        route = Route("many", ("/*",), self.instances, policy=self.policy)
        self.site = Site(route)
        self.clients: list[MemoryDownstream] = []
        self.scripts: list[Script] = []
        self.witnesses: list[Witness] = []

    def blow(self) -> None:
        """Let it rage, then die down."""
        site, random = self.site, self.random
        for number in range(random.randint(1, 3)):
            told = {"model": "m", "messages": [_user(number)], "max_tokens": 99}
            if random.random() < 0.8:
                told |= {"stream": True, "stream_options": {"include_usage": True}}
            body = msgspec.json.encode(told)
            if random.random() < 0.3:
                client = site.ask(body, target=b"/v1/messages", headers=[*CLAUDE])
            else:
                client = site.ask(body)
            self.clients.append(client)
        for _ in range(200):
            self._look()
            self._happen()
        for client in self.clients:
            client.empty()
        for _ in range(30):
            self._look()
            for script in self.scripts:
                if not script.call.paused:
                    script.step()
            site.wait(0.05)
        site.wait(5)  # whoever is asked from here on never answers
        for client in self.clients:
            if client.ended is None and not client.lost:
                client.leave()
        site.wait(5)
        self._look()

    def _look(self) -> None:
        """Give new calls their scripts."""
        for call in self.site.upstream.calls[len(self.scripts) :]:
            self.scripts.append(Script(self.random, call, len(self.scripts)))
            self.witnesses.append(Witness(call))

    def _happen(self) -> None:
        random, site = self.random, self.site
        client = random.choice(self.clients)
        what = random.random()
        if what < 0.7:
            live = [one for one in self.scripts if not one.call.done and one.steps]
            if live:
                random.choice(live).step()
        elif what < 0.9:
            site.clock.advance(random.choice([0.0, 0.01, 0.05, 0.2, 0.5]))
        elif what < 0.94:
            client.fill()
        elif what < 0.985:
            client.empty()
        elif what < 0.995:
            if client.ended is None and not client.lost:
                client.leave()
        else:
            for exchange in list(site.serve.open):
                exchange.shut_down()


def _user(number: int) -> object:
    return {"role": "user", "content": f"client {number}"}
