"""The promises every ``ISigner`` keeps."""

from __future__ import annotations

import copy
from typing import Any

from zope.interface.verify import verifyObject

from aigw.interfaces import ISigner
from aigw.model.outbound import Origin, Outbound

_NOW = 1_800_000_000.0


def check_signer(signer: ISigner, credentials: Any) -> None:
    """
    Hold ``signer`` to what :class:`aigw.interfaces.ISigner` says.

    :param credentials: of the kind it takes.
    :raises AssertionError: a promise is broken.
    """
    verifyObject(ISigner, signer)
    request = Outbound(
        Origin("https", "provider.example", 443),
        "POST",
        b"/model/a%3Ab/converse?x=1",
        [(b"content-type", b"application/json"), (b"x-client", b"1")],
        b'{"messages": []}',
    )
    before = copy.deepcopy(request)
    signed = signer.sign(request, credentials, _NOW)
    assert request == before, "the request was changed"
    assert signed is not request
    assert signed.headers is not request.headers, "two requests share a list"
    assert signed != request, "nothing was signed"
    assert (signed.origin, signed.method, signed.body) == (
        request.origin,
        request.method,
        request.body,
    )
    assert (b"x-client", b"1") in signed.headers, "the client's fields cross"
    for name, value in signed.headers:
        assert name == name.lower(), f"{name!r} is not in lower case"
        assert not {0, 0x0D, 0x0A} & {*name, *value}, f"{name!r} ends its line"
    names = [name for name, _ in signed.headers]
    assert len(names) == len(set(names)), "a field is there twice"
    again = signer.sign(request, credentials, _NOW)
    assert again == signed, "the same request is signed in two ways"
    twice = signer.sign(signed, credentials, _NOW)
    assert sorted(twice.headers) == sorted(signed.headers), (
        "what is signed already is signed in another way"
    )
    assert twice.target == signed.target
