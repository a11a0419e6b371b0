"""The parts of a request to a provider that are made alike for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.instance import Instance
from aigw.model.outbound import Origin, Outbound

from .body import build
from .presets import Preset

#: What stands for the model in paths of ``IProvider.dialects``; a request whose path
#: still has it comes from a conversion, and its body names the model.
TEMPLATE = b"{model}"

_JSON = (b"content-type", b"application/json")

#: Paths at which nothing but one dialect is spoken, whatever the body holds.
_OWN_PATHS = {
    "/v1/messages": "anthropic-messages",
    "/v1/responses": "openai-responses",
}


def spoken(envelope: Envelope, dialect: str, dialects: Mapping[str, str]) -> str:
    """
    The dialect whose body rules hold: ``dialect``, but where it is ``passthrough`` and
    the request's path is the own one of another of ``dialects``, that one.
    """
    if dialect == "passthrough" and envelope.method == "POST":
        own = _OWN_PATHS.get(envelope.path.rstrip("/"))
        if own is not None and own in dialects:
            return own
    return dialect


def model_of(envelope: Envelope, instance: Instance, named: str = "") -> str:
    """
    The model to ask for: ``options.model``, else the client's.

    :param named: the model that the request's path names.
    """
    model = instance.options.get("model")
    if isinstance(model, str) and model:
        return model
    return named or envelope.model


def streams(envelope: Envelope, instance: Instance) -> bool:
    """Whether a body asks for a stream, ``options`` applied."""
    options = instance.options
    return options["stream"] is True if "stream" in options else envelope.stream


def request_of(
    envelope: Envelope,
    dialect: str,
    instance: Instance,
    preset: Preset,
    origin: Origin,
    target: bytes,
    *,
    removes: tuple[str, ...] = (),
    adds: Mapping[str, Any] | None = None,
    model: str = "",
    stream: bool | None = None,
    headers: Headers | None = None,
) -> Outbound:
    """
    The request to send, body rules applied.

    :param dialect: whose rules they are, see :func:`spoken`.
    :param removes: fields that are not sent, beside those of ``preset``.
    :param adds: fields that are sent where the body has none of their names.
    :param model: the model asked for, where it is not the body's.
    :param stream: whether a stream is asked for, where the body does not say.
    :param headers: what the vendor wants beside the credentials.
    """
    outbound = Outbound(
        origin=origin,
        method="POST" if dialect in preset.paths else envelope.method,
        target=target,
        headers=[*instance.auth_headers, *(headers or ())],
        body=envelope.body,
        patience=instance.patience,
        keepalive=instance.keepalive,
        model=model or envelope.model,
    )
    if envelope.fields is not None:
        removes += preset.removes
        body = build(envelope.fields, envelope.body, dialect, instance, preset, removes)
        if adds:
            body.merge(adds, force=False)
        outbound.body = body.encode()
        outbound.headers.append(_JSON)
        outbound.stream = body.true("stream")
        outbound.hides_usage = body.asked_usage and instance.streaming.usage == "hide"
        if (
            not model
            and "model" not in removes
            and body.differs("model", envelope.fields)
        ):
            outbound.model = body.string("model")
    if stream is not None:
        outbound.stream = stream
    return outbound
