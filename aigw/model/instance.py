"""An instance: one configured use of a provider, compiled when the config is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Literal

from .check import ActiveCheck
from .headers import Headers
from .outbound import Keepalive, Patience, Trust


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    ``override.endpoint``, taken apart.

    :ivar path: the path exactly as given, encoded; ``""`` where the endpoint is
        scheme, host and port alone and the provider computes the path.
    :ivar query: the raw query of the endpoint, ``""`` where there is none.
    """

    scheme: str
    host: str
    port: int
    path: str = ""
    query: str = ""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """
    How long an answer may take, in seconds; None is no limit. The clocks towards
    the provider (``first_byte``, ``idle``) stand still while it is paused.

    :ivar first_byte: from an attempt's start to the first byte of the body.
    :ivar idle: between two frames that carry something; comments and pings do not.
    :ivar total: from the request's arrival to the end of the answer.
    :ivar stream: ``max_stream_duration_ms``: a streamed attempt, from its start.
    :ivar client_stall: how long a client may accept nothing before it is dropped.
    """

    first_byte: float | None = None
    idle: float | None = None
    total: float | None = None
    stream: float | None = None
    client_stall: float | None = None


@dataclass(frozen=True, slots=True)
class Crossing:
    """
    Which header fields cross the gateway; names in lower case.

    :ivar mode: ``safe`` or ``reference`` (towards the provider).
    :ivar allow: request fields that cross although ``safe`` would stop them.
    :ivar deny: request fields that never cross.
    :ivar answer_allow: response fields that cross beside the standing list.
    :ivar answer_deny: response fields taken from it.
    """

    mode: Literal["safe", "reference"] = "safe"
    allow: frozenset[bytes] = frozenset()
    deny: frozenset[bytes] = frozenset()
    answer_allow: frozenset[bytes] = frozenset()
    answer_deny: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Streaming:
    """
    How an answer is relayed.

    :ivar flush: seconds that arriving bytes are gathered; 0 writes each at once.
    :ivar heartbeat: seconds of silence after which an SSE comment is sent; 0 is off.
    :ivar max_event_bytes: the largest SSE event that is looked into.
    :ivar max_response_bytes: the most bytes one answer may have, or None.
    :ivar commit_hold: seconds the first bytes may be held while another try can come.
    :ivar usage: ``stream_usage``: ``hide``, ``inject`` or ``client``.
    :ivar on_client_disconnect: ``abort`` or ``drain``.
    :ivar drain_seconds: bound of a drain in time.
    :ivar drain_bytes: bound of a drain in bytes.
    """

    flush: float = 0.010
    heartbeat: float = 0.0
    max_event_bytes: int = 16 * 1024 * 1024
    max_response_bytes: int | None = None
    commit_hold: float = 1.0
    usage: Literal["hide", "inject", "client"] = "hide"
    on_client_disconnect: Literal["abort", "drain"] = "abort"
    drain_seconds: float = 30.0
    drain_bytes: int = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Logging:
    """
    What a record may hold beyond figures.

    :ivar summaries: the reference's ``llm_summary`` object.
    :ivar payloads: prompts and answers.
    """

    summaries: bool = False
    payloads: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """
    One configured use of a provider. Compared by identity.

    :ivar name: the instance's name (``ai-proxy-<provider>`` for a plain ai-proxy).
    :ivar provider: the provider's name.
    :ivar endpoint: ``override.endpoint``, or None for the provider's own.
    :ivar auth_headers: credential fields to send, names in lower case.
    :ivar auth_query: credential query parameters, unencoded.
    :ivar has_auth: whether ``auth`` holds a credential of any kind; the client's own
        then never cross.
    :ivar auth: ``gcp`` and ``aws`` sections of ``auth`` as configured.
    :ivar provider_conf: ``project_id``, ``region``.
    :ivar options: fields written over the outgoing body.
    :ivar max_tokens: ``override.llm_options.max_tokens``, or None.
    :ivar request_body: ``override.request_body``: dialect name to partial body.
    :ivar force_override: ``override.request_body_force_override``.
    :ivar max_body: the largest request body, bytes.
    :ivar max_upload: the largest body that is relayed as it comes, bytes.
    :ivar weight: its share among the instances of its priority; 0 is never asked.
    :ivar priority: the larger is asked first.
    :ivar models: globs over the client's model; empty takes every model.
    :ivar model_map: the client's model to the one asked of the provider.
    :ivar max_concurrent: the most attempts at once, or None.
    :ivar max_queued: the most requests that wait for one of those to end.
    :ivar queue_timeout: how long they wait, seconds.
    :ivar prefill: whether its models go on from an assistant message that stands last.
    :ivar check: how its health is probed, or None.
    :ivar examples: texts like those it is for, where instances are ranked by meaning;
        ``threshold`` is the least likeness, None for the route's.
    """

    name: str
    provider: str
    endpoint: Endpoint | None = None
    auth_headers: Headers = field(default_factory=list)
    auth_query: Mapping[str, str] = field(default_factory=dict)
    has_auth: bool = False
    auth: Mapping[str, Any] = field(default_factory=dict)
    provider_conf: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    max_tokens: int | None = None
    request_body: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    force_override: bool = False
    max_body: int = 64 * 1024 * 1024
    max_upload: int = 1 << 30
    trust: Trust = Trust()
    proxy: str | None = None
    patience: Patience = Patience()
    keepalive: Keepalive = Keepalive()
    deadlines: Deadlines = Deadlines()
    crossing: Crossing = Crossing()
    streaming: Streaming = Streaming()
    logging: Logging = Logging()
    weight: int = 1
    priority: int = 0
    models: tuple[str, ...] = ()
    model_map: Mapping[str, str] = field(default_factory=dict)
    max_concurrent: int | None = None
    max_queued: int = 100
    queue_timeout: float = 30.0
    prefill: bool = False
    check: ActiveCheck | None = None
    examples: tuple[str, ...] = ()
    threshold: float | None = None

    def takes(self, model: str) -> bool:
        """Whether a request for ``model`` may go here; ``""`` may go anywhere."""
        if not self.models or not model:
            return True
        return any(fnmatchcase(model, glob) for glob in self.models)

    def serving(self, model: str) -> Instance:
        """The instance as it serves a request for ``model``: ``model_map`` applied."""
        return _mapped(self, model) if model in self.model_map else self


@lru_cache(maxsize=4096)
def _mapped(instance: Instance, model: str) -> Instance:
    """Kept, because what is compiled of an instance is remembered by its identity."""
    asked = instance.model_map[model]
    return replace(instance, options={**instance.options, "model": asked})
