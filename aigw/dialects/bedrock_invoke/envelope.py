"""
Between a Messages request and the body that Bedrock takes: the path names the model and
says whether it streams, the body says the version, and what Anthropic's API reads from
``anthropic-beta`` is a field.
"""

from __future__ import annotations

from typing import Final

import msgspec

from aigw.dialects.carried import dated, request_of
from aigw.errors import BadRequest
from aigw.model.envelope import Envelope

from .words import PATH, STREAMED

_VERSION: Final = "anthropic_version"
_BETA: Final = "anthropic_beta"
_BETA_FIELD: Final = b"anthropic-beta"
_OURS: Final = (b"anthropic-", b"x-stainless-")
_AWS: Final = (b"x-amz-", b"x-amzn-", b"amz-sdk-")

#: The only version there is.
BEDROCK: Final = "bedrock-2023-05-31"

_encode = msgspec.json.encode
_names = msgspec.json.Decoder(list[str])


def streams(envelope: Envelope) -> bool:
    """Whether the path is of the operation that streams."""
    found = PATH.search(envelope.path)
    return found is not None and found[1] == STREAMED


def opened(envelope: Envelope) -> Envelope:
    """
    A request to Bedrock as a Messages request.

    :raises BadRequest: the body is another vendor's.
    """
    given = envelope.fields
    if given is None or _VERSION not in given:
        raise BadRequest(
            f"{_VERSION}: missing; of the bodies that models take when they are invoked"
            " only Anthropic's can be converted"
        )
    kept = {name: raw for name, raw in given.items() if name not in (_VERSION, _BETA)}
    kept["model"] = _raw(envelope.model)
    stream = streams(envelope)
    if stream:
        kept["stream"] = _raw(True)
    headers = [pair for pair in envelope.headers if not pair[0].startswith(_AWS)]
    headers = dated(headers, given[_VERSION])
    betas = _betas(given.get(_BETA))
    if betas:
        headers = [pair for pair in headers if pair[0] != _BETA_FIELD]
        headers.append((_BETA_FIELD, ",".join(betas).encode()))
    return request_of(headers, kept, envelope.model, stream)


def closed(envelope: Envelope) -> Envelope:
    """A Messages request as one to Bedrock."""
    given = dict(envelope.fields or {})
    given.setdefault(_VERSION, _raw(BEDROCK))
    asked = [
        beta.strip()
        for name, value in envelope.headers
        if name == _BETA_FIELD
        for beta in value.decode("latin-1").split(",")
        if beta.strip()
    ]
    if asked and _BETA not in given:
        given[_BETA] = _raw(asked)
    headers = [pair for pair in envelope.headers if not pair[0].startswith(_OURS)]
    return request_of(headers, given, envelope.model, envelope.stream)


def _betas(raw: msgspec.Raw | None) -> list[str]:
    """
    :raises BadRequest: it is no list of names, or one of them is none.
    """
    if raw is None:
        return []
    try:
        names = _names.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRequest(f"{_BETA}: a list of strings is expected") from error
    if not all(name.isascii() and name.isprintable() for name in names):
        raise BadRequest(f"{_BETA}: a name is no printable ASCII")
    return names


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(_encode(value))
