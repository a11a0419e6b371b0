"""
What ai-proxy and ai-proxy-multi share: how requests travel to a provider and answers
back. The fields without a mark are the reference's; [new] ones are aigw's own.
"""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from .endpoint import proxy_of
from .part import SECRET_URL, Check, Milliseconds, Natural, Part, Positive, about

HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]


def _origin(text: str) -> None:
    if text == "*":
        return
    parts = urlsplit(text)
    if (
        not parts.scheme
        or not parts.netloc
        or f"{parts.scheme}://{parts.netloc}" != (text)
    ):
        raise ValueError("no origin")


def _way_out(url: str) -> None:
    if url:
        proxy_of(url)


class Timeouts(Part, frozen=True, kw_only=True):
    """[new] Deadlines beside `timeout`; each is off unless written."""

    connect_ms: Annotated[
        Milliseconds | None,
        about("Until the connection (with TLS) stands; unset, `timeout`."),
    ] = None
    first_byte_ms: Annotated[
        Milliseconds | None,
        about("From an attempt's start to the first byte of the answer's body."),
    ] = None
    idle_ms: Annotated[
        Milliseconds | None,
        about(
            "Between two frames that carry something; comments and pings do not count."
        ),
    ] = None
    total_ms: Annotated[
        Milliseconds | None,
        about("From the request's arrival to the end of the answer."),
    ] = None
    client_stall_ms: Annotated[
        Milliseconds | None,
        about("A client that accepts nothing for this long is dropped."),
    ] = None


class DrainLimits(Part, frozen=True, kw_only=True):
    """[new] Bounds of `on_client_disconnect: drain`."""

    max_ms: Annotated[Natural, about("The longest a drain may take, ms.")] = 30_000
    max_bytes: Annotated[Natural, about("The most it may read, bytes.")] = 1_048_576


class RequestHeaders(Part, frozen=True, kw_only=True):
    """[new] Which of the client's header fields reach the provider."""

    mode: Annotated[
        Literal["safe", "reference"],
        about(
            "`safe`: no cookies, no forwarding headers, and no client credential where"
            " `auth` has one; `reference`: all but Host, Content-Length and"
            " Accept-Encoding."
        ),
    ] = "safe"
    allow: Annotated[
        tuple[HeaderName, ...], about("Fields let through although `safe` stops them.")
    ] = ()
    deny: Annotated[tuple[HeaderName, ...], about("Fields never let through.")] = ()


class ResponseHeaders(Part, frozen=True, kw_only=True):
    """[new] Which of the provider's header fields reach the client."""

    allow: Annotated[
        tuple[HeaderName, ...], about("Fields added to the standing list.")
    ] = ()
    deny: Annotated[tuple[HeaderName, ...], about("Fields taken from it.")] = ()


class Tls(Part, frozen=True, kw_only=True):
    """[new] TLS towards the provider."""

    ca_file: Annotated[
        str | None, about("PEM file of trusted authorities; unset, the platform's.")
    ] = None
    cert_file: Annotated[
        str | None, about("PEM file of a client certificate with its chain.")
    ] = None
    key_file: Annotated[str | None, about("PEM file of its private key.")] = None


class Logging(Part, frozen=True, kw_only=True):
    """What a record may hold beyond figures."""

    summaries: Annotated[bool, about("The `llm_summary` object.")] = False
    payloads: Annotated[bool, about("Prompts and answers.")] = False


class Transport(Part, frozen=True, kw_only=True):
    """How requests travel to a provider and answers back."""

    timeout: Annotated[
        int,
        Meta(ge=1, le=600_000),
        about("ms for connect, for send, and for each read; any byte starts it anew."),
    ] = 30_000
    max_req_body_size: Annotated[
        Positive | None,
        about(
            "The largest request body, bytes; unset,"
            " `server.default_max_req_body_size`. Larger ones get 413."
        ),
    ] = None
    max_upload_size: Annotated[
        Positive,
        about(
            "[new] The largest body that is no JSON (files, audio, pictures), bytes;"
            " such bodies are relayed as they come. Larger ones get 413."
        ),
    ] = 1 << 30
    max_stream_duration_ms: Annotated[
        Positive | None, about("The longest a streamed attempt may take, ms.")
    ] = None
    max_response_bytes: Annotated[
        Positive | None, about("The most bytes one answer may have.")
    ] = None
    keepalive: Annotated[
        bool, about("Whether connections to the provider are kept for reuse.")
    ] = True
    keepalive_timeout: Annotated[
        int, Meta(ge=1000), about("How long an idle connection is kept, ms.")
    ] = 60_000
    keepalive_pool: Annotated[
        Positive, about("The most idle connections kept per origin.")
    ] = 30
    streaming_flush_interval_ms: Annotated[
        Natural,
        about("How long arriving bytes are gathered, ms; 0 writes each at once."),
    ] = 10
    ssl_verify: Annotated[
        bool, about("Whether the provider's certificate is checked.")
    ] = True
    logging: Annotated[Logging, about("What a record may hold beyond figures.")] = (
        Logging()
    )
    timeouts: Annotated[Timeouts, about("[new] Deadlines, each off by default.")] = (
        Timeouts()
    )
    heartbeat_interval_ms: Annotated[
        Natural,
        about("[new] An SSE comment after this long a silence, ms; 0 sends none."),
    ] = 0
    max_event_bytes: Annotated[
        Positive,
        about("[new] The largest SSE event that is looked into, bytes."),
    ] = 16_777_216
    commit_hold_ms: Annotated[
        Natural,
        about(
            "[new] How long a stream's first bytes may wait for content while another"
            " instance could still be tried, ms."
        ),
    ] = 1000
    stream_usage: Annotated[
        Literal["hide", "inject", "client"],
        about(
            "[new] `hide`: ask the provider for usage on every chat stream and keep the"
            " usage chunk from a client that did not ask; `inject`: ask and show it;"
            " `client`: leave the body alone."
        ),
    ] = "hide"
    on_client_disconnect: Annotated[
        Literal["abort", "drain"],
        about(
            "[new] `abort` the provider's answer when the client goes, or `drain` it"
            " for its usage."
        ),
    ] = "abort"
    drain_limits: Annotated[DrainLimits, about("[new] Bounds of a drain.")] = (
        DrainLimits()
    )
    forward_request_headers: Annotated[
        RequestHeaders, about("[new] Which header fields reach the provider.")
    ] = RequestHeaders()
    forward_response_headers: Annotated[
        ResponseHeaders, about("[new] Which header fields reach the client.")
    ] = ResponseHeaders()
    allow_origins: Annotated[
        tuple[Annotated[str, Check(_origin, "`scheme://host[:port]` or `*`")], ...],
        about(
            "[new] Browser origins let in. Where the route injects credentials, any"
            " other `Origin` is refused."
        ),
    ] = ()
    tls: Annotated[Tls, about("[new] TLS towards the provider.")] = Tls()
    proxy: Annotated[
        Annotated[str, Check(_way_out, "`http://[user:password@]host[:port]` or empty")]
        | None,
        SECRET_URL,
        about(
            "[new] Egress proxy; unset, HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the"
            " environment; empty, none."
        ),
    ] = None
