"""
A provider of your own: a vendor that speaks OpenAI's chat completions at a path of its
own, wants a region in a header field, and says 420 where others say 429.

This file is a plugin as it stands. Installed as ``aigw/plugins/acme.py`` (without an
``__init__.py``) anywhere on Python's path, its maker is found when a gateway starts,
and routes may say ``provider: acme``. An embedder needs no file there and passes the
provider to ``Gateway`` and its host to ``load``, as ``main`` does::

    $ python examples/custom_provider.py
    POST https://api.acme.example/inference/chat
    authorization: Bearer secret
    x-acme-region: eu-1
    content-type: application/json
    {"model":"acme-large","messages":[]}
    420 is throttled for 3 s
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from aigw.config.load import load
from aigw.interfaces import IMaker, IProvider
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.instance import Instance
from aigw.model.outbound import Outbound
from aigw.model.outcome import Judgement, Verdict
from aigw.providers.openai import OpenAIStyle
from aigw.providers.presets import Preset

# What makes one vendor of OpenAI's API differ from another is mostly data; a vendor
# that differs in nothing else needs no class of its own.
ACME = Preset(
    name="acme",
    host="api.acme.example",
    paths={"openai-chat": "/inference/chat"},
    caps={"openai-chat": "max_tokens"},
)


@implementer(IProvider)
class Acme:
    """One serves the process and keeps no state of an exchange."""

    def __init__(self) -> None:
        self._style = OpenAIStyle(ACME)
        self.name = ACME.name
        self.host = ACME.host
        self.dialects = ACME.paths
        self.caps = ACME.caps
        self.extensions = ACME.extensions

    def speaks(self, instance: Instance, model: str) -> Sequence[str]:
        return self._style.speaks(instance, model)

    def prepare(self, envelope: Envelope, dialect: str, instance: Instance) -> Outbound:
        outbound = self._style.prepare(envelope, dialect, instance)
        region = instance.provider_conf.get("region")
        if region:
            # Behind the credentials, which stand first.
            place = len(instance.auth_headers)
            outbound.headers.insert(place, (b"x-acme-region", region.encode()))
        return outbound

    def judge(self, status: int, headers: Headers, body: bytes | None) -> Judgement:
        judgement = self._style.judge(status, headers, body)
        if status == 420:
            return Judgement(Verdict.THROTTLED, judgement.retry_after or 3)
        return judgement


@implementer(IMaker)
class AcmeMaker:
    """Makes the provider. Found at import, so it does nothing until it is asked."""

    name = "acme"
    makes = IProvider

    def make(self, settings: Mapping[str, Any], clock: IReactorTime) -> Acme:
        return Acme()


acme = AcmeMaker()

CONFIG = b"""
routes:
- uri: /v1/chat/completions
  plugins:
    ai-proxy:
      provider: acme
      auth: {header: {Authorization: Bearer secret}}
      provider_conf: {region: eu-1}
      options: {model: acme-large}
"""


def main() -> None:
    """What a gateway does with a configuration, and then with a request."""
    provider = Acme()
    settings = load(CONFIG, {}, providers={"acme": provider.host})
    instance = settings.routes[0].instances[0]

    path = "/v1/chat/completions"
    envelope = Envelope("POST", path, path.encode(), b"", [])
    envelope.open(b'{"model": "gpt", "messages": []}')
    outbound = provider.prepare(envelope, "openai-chat", instance)

    origin = outbound.origin
    print(outbound.method, f"{origin.scheme}://{origin.host}{outbound.target.decode()}")
    for name, value in outbound.headers:
        print(f"{name.decode()}: {value.decode()}")
    print(outbound.body.decode())
    judgement = provider.judge(420, [], None)
    print(f"420 is {judgement.verdict} for {judgement.retry_after} s")


if __name__ == "__main__":
    main()
