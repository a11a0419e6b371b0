"""
The gateway inside a Twisted program of your own: mounted at ``/ai`` of a plain site,
beside a page that shows what it has served.

    $ UPSTREAM=http://127.0.0.1:9081 python examples/embed.py tcp:8000
    $ curl -N http://127.0.0.1:8000/ai/v1/chat/completions \\
        -H 'content-type: application/json' \\
        -d '{"model": "m", "stream": true, "messages": []}'
    $ curl http://127.0.0.1:8000/served
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.task import react
from twisted.web.resource import Resource
from twisted.web.server import Request, Site
from zope.interface import implementer

from aigw.config.load import load
from aigw.http.resource import GatewayResource
from aigw.interfaces import IRecorder
from aigw.model.record import Record
from aigw.providers import built_in
from aigw.service import Gateway

CONFIG = b"""
routes:
- id: chat
  uri: /v1/chat/completions
  plugins:
    ai-proxy:
      provider: openai-compatible
      auth: {header: {Authorization: "Bearer ${{UPSTREAM_KEY:=none}}"}}
      override: {endpoint: "${{UPSTREAM:=http://127.0.0.1:9081}}"}
"""


@implementer(IRecorder)
class Served(Resource):
    """A page of the program's own; told of each exchange when it has ended."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: Counter[str] = Counter()

    def record(self, record: Record) -> None:
        self.outcomes[str(record.outcome)] += 1

    def render_GET(self, request: Request) -> bytes:
        request.setHeader(b"content-type", b"application/json")
        return json.dumps(self.outcomes).encode()


async def main(reactor: Any, where: str = "tcp:8000:interface=127.0.0.1") -> None:
    hosts = {name: provider.host for name, provider in built_in().items()}
    settings = load(CONFIG, os.environ, providers=hosts, name="embed.py")
    served = Served()
    gateway = Gateway(reactor, settings, served)

    root = Resource()
    root.putChild(b"served", served)
    root.putChild(b"ai", GatewayResource(gateway.serve, mounted_at=b"/ai"))
    # Without parsePOSTFormSubmission=False twisted.web would parse bodies itself.
    site = Site(root, parsePOSTFormSubmission=False)
    port = await serverFromString(reactor, where).listen(site)
    print(f"listening on port {port.getHost().port}", flush=True)

    async def stop() -> None:
        await port.stopListening()
        await gateway.stopService()  # streams under way may end

    reactor.addSystemEventTrigger(
        "before", "shutdown", lambda: Deferred.fromCoroutine(stop())
    )
    await Deferred()  # until a signal ends the program


if __name__ == "__main__":
    react(main, sys.argv[1:])
