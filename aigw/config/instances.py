"""From an ``ai-proxy`` object to the Instance that the rest of aigw works with."""

from __future__ import annotations

import os

import msgspec

from aigw.model.headers import Headers
from aigw.model.instance import (
    Crossing,
    Deadlines,
    Endpoint,
    Instance,
    Logging,
    Streaming,
)
from aigw.model.outbound import Keepalive, Patience, Trust

from .auth import Auth
from .endpoint import endpoint_of, proxy_from, proxy_of
from .part import seconds
from .providers import Hosts, check_provider, default_host
from .proxy import Use
from .reading import Reader
from .transport import Transport


def instance_of(
    conf: Use, name: str, path: str, reader: Reader, hosts: Hosts, max_body: int
) -> Instance:
    """
    Compile one use of a provider. What is wrong is noted with ``reader``.

    :param conf: the plugin's (or instance's) object.
    :param path: where it stands in the file.
    :param hosts: the providers there are, see :mod:`.providers`.
    :param max_body: the largest request body where ``conf`` states none, bytes.
    """
    check_provider(conf, path, reader, hosts)
    override = conf.override
    endpoint = None if override.endpoint is None else endpoint_of(override.endpoint)
    if endpoint is not None and endpoint.path.rstrip("/") == "/v1":
        reader.warn(
            f"{path}.override.endpoint",
            "its path is used as it is, for every request; leave the path out and the"
            " provider's own paths are used",
        )
    return Instance(
        name=name,
        provider=conf.provider,
        endpoint=endpoint,
        auth_headers=_fields(conf.auth.header) + _bearer(conf, reader),
        auth_query=conf.auth.query,
        has_auth=_has_credential(conf.auth),
        auth=_sections(conf.auth, path, reader),
        provider_conf={
            key: value
            for key, value in msgspec.structs.asdict(conf.provider_conf).items()
            if value is not None
        },
        options=conf.options,
        max_tokens=override.llm_options.max_tokens,
        request_body={
            str(dialect): body for dialect, body in override.request_body.items()
        },
        force_override=override.request_body_force_override,
        max_body=conf.max_req_body_size or max_body,
        max_upload=conf.max_upload_size,
        trust=_trust(conf, f"{path}.tls", reader),
        proxy=_proxy(conf, endpoint, path, reader, hosts),
        patience=_patience(conf),
        keepalive=Keepalive(
            size=conf.keepalive_pool if conf.keepalive else 0,
            idle=conf.keepalive_timeout / 1000,
        ),
        deadlines=_deadlines(conf),
        crossing=_crossing(conf),
        streaming=_streaming(conf),
        logging=Logging(conf.logging.summaries, conf.logging.payloads),
    )


def _fields(headers: dict[str, str]) -> Headers:
    return [
        (name.lower().encode("ascii"), value.encode("latin-1"))
        for name, value in headers.items()
    ]


def _bearer(conf: Use, reader: Reader) -> Headers:
    """
    The bearer key that the AWS SDK, too, finds before all other credentials
    (https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html).
    """
    key = reader.environ.get("AWS_BEARER_TOKEN_BEDROCK", "")
    own = {name.lower() for name in conf.auth.header}
    aws = conf.auth.aws
    searched = aws is not None and aws.access_key_id is None
    if conf.provider != "bedrock" or not searched or not key or "authorization" in own:
        return []
    return _fields({"authorization": f"Bearer {key}"})


def _has_credential(auth: Auth) -> bool:
    held = auth.gcp is not None or auth.aws is not None
    return bool(auth.header) or bool(auth.query) or held


def _sections(auth: Auth, path: str, reader: Reader) -> dict[str, dict[str, object]]:
    """``gcp`` and ``aws`` as plain objects, unset fields left out."""
    sections: dict[str, dict[str, object]] = {}
    if auth.gcp is not None:
        gcp = msgspec.structs.asdict(auth.gcp)
        if gcp["service_account_json"] is None:
            gcp["service_account_json"] = reader.environ.get("GCP_SERVICE_ACCOUNT")
            where = f"{path}.auth.gcp.service_account_json"
            if not gcp["service_account_json"] and reader.sound(where):
                reader.problem(
                    where,
                    "missing, and the environment has no variable GCP_SERVICE_ACCOUNT",
                )
        sections["gcp"] = gcp
    if auth.aws is not None:
        aws = msgspec.structs.asdict(auth.aws)
        one, other = "access_key_id", "secret_access_key"
        if reader.sound(f"{path}.auth.aws") and (aws[one] is None) != (
            aws[other] is None
        ):
            missing = one if aws[one] is None else other
            reader.problem(
                f"{path}.auth.aws.{missing}",
                "missing; accepted: both keys, or neither and the AWS SDK finds them",
            )
        sections["aws"] = aws
    return {
        name: {key: value for key, value in section.items() if value is not None}
        for name, section in sections.items()
    }


def _trust(conf: Transport, path: str, reader: Reader) -> Trust:
    """
    A file that cannot be read is told now, not by the first request's 502 alone. It may
    come (or be renewed) later, and other routes do not need it: so it is no error.
    """
    tls = conf.tls
    for name, file in msgspec.structs.asdict(tls).items():
        if file is not None and not os.access(file, os.R_OK):
            text = f"{file!r} cannot be read; each request there will get 502"
            reader.warn(f"{path}.{name}", text)
    if tls.key_file is not None and tls.cert_file is None:
        reader.problem(f"{path}.cert_file", "missing; key_file is the key of one")
    return Trust(
        verify=conf.ssl_verify,
        ca_file=tls.ca_file,
        cert_file=tls.cert_file,
        key_file=tls.key_file,
    )


def _proxy(
    conf: Use, endpoint: Endpoint | None, path: str, reader: Reader, hosts: Hosts
) -> str | None:
    if conf.proxy is not None:
        return proxy_of(conf.proxy) if conf.proxy else None
    if endpoint is not None:
        scheme, host, port = endpoint.scheme, endpoint.host, endpoint.port
    else:
        scheme, host, port = "https", default_host(conf, hosts), 443
    try:
        return proxy_from(reader.environ, scheme, host, port) or None
    except ValueError as error:
        reader.problem(f"{path}.proxy", f"unset, and {error}")
        return None


def _patience(conf: Transport) -> Patience:
    each = conf.timeout / 1000
    connect = seconds(conf.timeouts.connect_ms)
    return Patience(connect=each if connect is None else connect, send=each, read=each)


def _deadlines(conf: Transport) -> Deadlines:
    timeouts = conf.timeouts
    return Deadlines(
        first_byte=seconds(timeouts.first_byte_ms),
        idle=seconds(timeouts.idle_ms),
        total=seconds(timeouts.total_ms),
        stream=seconds(conf.max_stream_duration_ms),
        client_stall=seconds(timeouts.client_stall_ms),
    )


def _crossing(conf: Transport) -> Crossing:
    there = conf.forward_request_headers
    back = conf.forward_response_headers
    return Crossing(
        mode=there.mode,
        allow=_names(there.allow),
        deny=_names(there.deny),
        answer_allow=_names(back.allow),
        answer_deny=_names(back.deny),
    )


def _names(names: tuple[str, ...]) -> frozenset[bytes]:
    return frozenset(name.lower().encode("ascii") for name in names)


def _streaming(conf: Transport) -> Streaming:
    return Streaming(
        flush=conf.streaming_flush_interval_ms / 1000,
        heartbeat=conf.heartbeat_interval_ms / 1000,
        max_event_bytes=conf.max_event_bytes,
        max_response_bytes=conf.max_response_bytes,
        commit_hold=conf.commit_hold_ms / 1000,
        usage=conf.stream_usage,
        on_client_disconnect=conf.on_client_disconnect,
        drain_seconds=conf.drain_limits.max_ms / 1000,
        drain_bytes=conf.drain_limits.max_bytes,
    )
