"""A token endpoint on loopback, and service accounts that ask it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from aigw.http.upstream import Upstream
from aigw.signing.gcp import ServiceAccount
from aigw.signing.post import Post
from aigw.streaming.timers import Wheel

reactor: Any = _reactor

NOW = 1_800_000_000.0
KEY = rsa.generate_private_key(65537, 2048)
FORMAT = (
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)
PEM = KEY.private_bytes(*FORMAT).decode()


class Time:
    """The reactor with a clock for tokens that the test moves; its timers are real."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def seconds(self) -> float:
        now: float = reactor.seconds()
        return now + self.ahead

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)


class Tokens(Resource):
    """A token endpoint."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[dict[str, list[str]]] = []
        self.types: list[str | None] = []
        self.uris: list[bytes] = []
        self.status = 200
        self.answer: dict[str, Any] | bytes = {}
        self.silent = False

    def render_POST(self, request: Request) -> bytes | int:
        assert request.content is not None
        self.asked.append(parse_qs(request.content.read().decode()))
        self.uris.append(request.uri)
        self.types.append(request.getHeader("content-type"))
        if self.silent:
            return NOT_DONE_YET
        request.setResponseCode(self.status)
        if isinstance(self.answer, bytes):
            return self.answer
        token = {"access_token": f"token-{len(self.asked)}", "expires_in": 3600}
        return json.dumps({**token, **self.answer}).encode()


class Endpoint:
    """The endpoint, and accounts that ask it."""

    def __init__(self) -> None:
        self.before = watched()
        self.tokens = Tokens()
        self.time = Time()
        self.port = reactor.listenTCP(0, Site(self.tokens), interface="127.0.0.1")
        self.uri = f"http://127.0.0.1:{self.port.getHost().port}/token"
        self.accounts: list[ServiceAccount] = []
        self.wheel = Wheel(reactor)
        self.upstream = Upstream(reactor, self.wheel)

    def key_file(self, **fields: Any) -> str:
        """The JSON of an account's key file."""
        held = {
            "type": "service_account",
            "client_email": "me@project.example",
            "private_key": PEM,
            "private_key_id": "key-1",
            "token_uri": self.uri,
            **fields,
        }
        return json.dumps(held)

    def account(
        self,
        expire_early: float = 60,
        max_ttl: float | None = None,
        proxy: str | None = None,
        **fields: Any,
    ) -> ServiceAccount:
        self.accounts.append(
            ServiceAccount(
                self.key_file(**fields),
                expire_early,
                max_ttl,
                self.time,
                lambda: NOW,
                deferToThread,
                Post(self.upstream, proxy),
            )
        )
        return self.accounts[-1]

    async def close(self) -> None:
        for account in self.accounts:
            account.stop()
        await self.upstream.stop()
        self.wheel.stop()
        await self.port.stopListening()
        # Connections are closed a turn after what they carried.
        for _ in range(100):
            if not watched() - self.before:
                break
            await pause()


def watched() -> set[object]:
    """The sockets the reactor watches."""
    return set(reactor.getReaders()) | set(reactor.getWriters())


async def pause() -> None:
    turn: Deferred[None] = Deferred()
    reactor.callLater(0.01, turn.callback, None)
    await turn
