"""
``aigw demo``: a gateway and the mock provider in one process, and a client that streams
one completion through both over real sockets, token by token.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TextIO

import treq
from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IListeningPort
from twisted.web.client import Agent, HTTPConnectionPool, ResponseFailed
from zope.interface import implementer

from aigw import framing
from aigw.config.zero import zero
from aigw.http.site import GatewaySite
from aigw.interfaces import IRecorder
from aigw.mock import Mock
from aigw.model.record import Record
from aigw.providers import built_in
from aigw.service import Gateway

_LOOPBACK = "127.0.0.1"
_QUESTION = "What is a stream?"


class DemoFailed(Exception):
    """The demonstration did not go through; says why."""


@dataclass(slots=True)
class Figures:
    """
    What a client measured.

    :ivar ttft: seconds from the request to the first token.
    :ivar duration: seconds from the request to the end of the stream.
    :ivar tokens: tokens of the answer, as its usage reports them.
    """

    ttft: float = 0.0
    duration: float = 0.0
    tokens: int = 0

    def __str__(self) -> str:
        return (
            f"ttft {self.ttft * 1000:.0f} ms · {self.tokens} tokens · "
            f"duration {self.duration * 1000:.0f} ms"
        )


async def demo(reactor: Any, model: str, out: TextIO) -> None:
    """
    Start both, stream, tell, stop.

    :param model: what is asked for; the mock provider reads its knobs from it.
    :param out: gets the tokens as they come, then the figures.
    :raises DemoFailed: in a sentence.
    """
    mock = Mock(reactor)
    provider = await _listen(reactor, mock)
    settings = zero(
        {},
        providers={name: known.host for name, known in built_in().items()},
        mock=_url(provider),
    )
    gateway = Gateway(reactor, settings, _Silent())
    front = await _listen(reactor, GatewaySite(gateway.serve, reactor))
    try:
        out.write(f"gateway {_url(front)}, mock provider {_url(provider)}\n\n")
        figures = await stream(reactor, _url(front), model, out)
        out.write(f"\n{figures}\n")
    finally:
        await maybeDeferred(front.stopListening)
        await gateway.stopService()
        await maybeDeferred(provider.stopListening)
        await mock.stop()


async def stream(reactor: Any, url: str, model: str, out: TextIO) -> Figures:
    """
    Ask for one streamed chat completion and write its text as it comes.

    :param url: of the gateway.
    :raises DemoFailed: it was refused, broke off, or has no proper end.
    """
    began = reactor.seconds()
    pool = HTTPConnectionPool(reactor, persistent=False)
    reader = _Reader(reactor, out, began)
    try:
        response = await treq.post(
            f"{url}/v1/chat/completions",
            json={
                "model": model,
                "messages": [{"role": "user", "content": _QUESTION}],
                "stream": True,
                "stream_options": {"include_usage": True},
            },
            agent=Agent(reactor, pool=pool),
            unbuffered=True,
        )
        if response.code != 200:
            said = await response.text()
            raise DemoFailed(f"the gateway answered {response.code}: {said.strip()}")
        await treq.collect(response, reader.feed)
    except (ResponseFailed, ConnectError) as error:
        raise DemoFailed(f"the stream broke off: {error}") from error
    finally:
        out.write("\n")
    if not reader.done:
        raise DemoFailed("the stream ended without its terminal frame")
    reader.figures.duration = reactor.seconds() - began
    return reader.figures


class _Reader:
    """Reads an openai-chat stream off its bytes."""

    def __init__(self, reactor: Any, out: TextIO, began: float) -> None:
        self.figures = Figures()
        self.done = False
        self._reactor = reactor
        self._out = out
        self._began = began
        self._decoder = framing.get("sse").decoder()

    def feed(self, data: bytes) -> None:
        """Take the next bytes; text in them is written at once."""
        for frame in self._decoder.feed(data):
            if frame.data == b"[DONE]":
                self.done = True
            elif frame.data is not None:
                self._chunk(json.loads(frame.data))
        self._out.flush()

    def _chunk(self, chunk: dict[str, Any]) -> None:
        if "error" in chunk:
            raise DemoFailed(f"the stream failed: {chunk['error'].get('message')}")
        if chunk.get("usage"):
            self.figures.tokens = chunk["usage"]["completion_tokens"]
        for choice in chunk["choices"]:
            text = choice["delta"].get("content")
            if text:
                if not self.figures.ttft:
                    self.figures.ttft = self._reactor.seconds() - self._began
                self._out.write(text)


@implementer(IRecorder)
class _Silent:
    """Keeps no records: the figures of the demonstration are the client's own."""

    def record(self, record: Record) -> None:
        """See :meth:`aigw.interfaces.recorder.IRecorder.record`."""


async def _listen(reactor: Any, factory: Any) -> IListeningPort:
    endpoint = TCP4ServerEndpoint(reactor, 0, interface=_LOOPBACK)
    port: IListeningPort = await endpoint.listen(factory)
    return port


def _url(port: IListeningPort) -> str:
    address: Any = port.getHost()
    return f"http://{_LOOPBACK}:{address.port}"
