"""The promises every ``IProvider`` keeps, ours and third parties'."""

from __future__ import annotations

import copy
from collections.abc import Iterable

from zope.interface.verify import verifyObject

from aigw.interfaces import IProvider
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.instance import Endpoint, Instance
from aigw.model.outbound import Outbound
from aigw.model.outcome import Judgement, Verdict

#: Fields that the connection to the provider writes itself.
_CONNECTION = {b"connection", b"content-length", b"transfer-encoding"}
_PLACE = {"project_id": "project", "region": "eu-west-1"}
_CHAT = b'{"model": "m", "messages": [{"role": "user", "content": "Hi"}]}'


def check_provider(
    provider: IProvider,
    instances: Iterable[Instance] = (),
    *,
    bodies: Iterable[bytes] = (_CHAT,),
) -> None:
    """
    Hold ``provider`` to what :class:`aigw.interfaces.IProvider` says.

    :param instances: configured uses of it, beside the two that are tried in any case:
        one with an endpoint and a credential, and, where ``host`` is one, one without;
        both have a project and a region.
    :param bodies: JSON bodies that its dialects can carry.
    :raises AssertionError: a promise is broken.
    """
    verifyObject(IProvider, provider)
    assert provider.name, "it has a name"
    assert provider.dialects, "it speaks something"
    for dialect, path in provider.dialects.items():
        assert dialect
        assert path.startswith("/"), f"the path of {dialect}: {path!r}"
    for dialect, cap in provider.caps.items():
        assert cap, f"the cap of {dialect} has no name"
    known = {
        "extra_content",
        "file",
        "reasoning_content",
        "reasoning_details",
        "text_results",
    }
    assert provider.extensions <= known, f"not known: {provider.extensions - known}"
    for instance in (*_uses(provider), *instances):
        for model in ("", "m", "org/m"):
            _check_speaks(provider, instance, model)
        for body in bodies:
            for dialect in provider.dialects:
                path = provider.dialects[dialect]
                _check_prepare(provider, _envelope(path, body), dialect, instance)
        listing = Envelope("GET", "/v1/models", b"/v1/models?limit=2", b"limit=2", [])
        _check_prepare(provider, listing, "passthrough", instance)
    _check_judge(provider)


def _uses(provider: IProvider) -> list[Instance]:
    endpoint = Endpoint("http", "127.0.0.1", 9081)
    credential: Headers = [(b"authorization", b"Bearer key")]
    uses = [
        Instance(
            "with-endpoint",
            provider.name,
            endpoint=endpoint,
            auth_headers=credential,
            has_auth=True,
            provider_conf=_PLACE,
        )
    ]
    if provider.host is not None:
        uses.append(Instance("plain", provider.name, provider_conf=_PLACE))
    return uses


def _envelope(path: str, body: bytes) -> Envelope:
    target = path.encode("ascii")
    envelope = Envelope("POST", path, target, b"", [(b"x-client", b"1")])
    envelope.open(body)
    return envelope


def _check_speaks(provider: IProvider, instance: Instance, model: str) -> None:
    spoken = list(provider.speaks(instance, model))
    assert spoken, f"nothing can be asked of {instance.name} for {model!r}"
    assert len(set(spoken)) == len(spoken), f"named twice: {spoken}"
    assert set(spoken) <= set(provider.dialects), f"not of its dialects: {spoken}"
    assert spoken == list(provider.speaks(instance, model)), "it speaks now and then"


def _check_prepare(
    provider: IProvider, envelope: Envelope, dialect: str, instance: Instance
) -> None:
    before = copy.deepcopy(envelope)
    credentials = list(instance.auth_headers)
    outbound = provider.prepare(envelope, dialect, instance)
    assert isinstance(outbound, Outbound)
    assert envelope == before, "the request was changed"
    assert instance.auth_headers == credentials, "the instance was changed"
    assert outbound.target.startswith(b"/"), outbound.target
    assert outbound.target.isascii()
    assert not {0x20, 0x0D, 0x0A, 0x23} & set(outbound.target), outbound.target
    assert outbound.origin.scheme in ("http", "https")
    assert outbound.origin.host == outbound.origin.host.lower()
    assert outbound.origin.trust == instance.trust
    assert outbound.origin.proxy == instance.proxy
    assert outbound.patience == instance.patience
    assert outbound.keepalive == instance.keepalive
    for name, value in outbound.headers:
        assert name == name.lower(), f"{name!r} is not in lower case"
        assert name not in _CONNECTION, f"{name!r} is the connection's to write"
        assert not {0, 0x0D, 0x0A} & {*name, *value}, f"{name!r} ends its line"
    for field in credentials:
        assert field in outbound.headers, f"the credential {field[0]!r} is not sent"
    if instance.endpoint is not None:
        told = outbound.origin.scheme, outbound.origin.host, outbound.origin.port
        endpoint = instance.endpoint
        assert told == (endpoint.scheme, endpoint.host, endpoint.port)
    outbound.headers.append((b"x-another", b"1"))
    again = provider.prepare(envelope, dialect, instance)
    assert (b"x-another", b"1") not in again.headers, "two requests share a list"
    assert (again.method, again.target, again.body) == (
        outbound.method,
        outbound.target,
        outbound.body,
    ), "the same request is prepared in two ways"


def _check_judge(provider: IProvider) -> None:
    """Any status is judged, with a body or without, whatever the body holds."""
    for status in range(200, 600):
        for body in (None, b"", b"{", b"\xff", b'{"error": 1}', b'{"error": {}}'):
            judgement = provider.judge(status, [(b"retry-after", b"x")], body)
            assert isinstance(judgement, Judgement)
            if body is None and status >= 400:
                assert judgement.verdict is not Verdict.OK, f"{status} is no success"
            wait = judgement.retry_after
            assert wait is None or wait >= 0
    assert provider.judge(200, [], None).verdict is Verdict.OK
