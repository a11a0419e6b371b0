"""``ai-proxy-multi``: several instances behind a route."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, get_args

import msgspec
from msgspec import Meta

from .checks import Checks
from .meta import PluginMeta
from .part import Check, Milliseconds, Natural, Part, Positive, about
from .proxy import ModelsFrom, Use
from .semantic import SemanticOpts, Threshold
from .transport import Transport

_Kind = Literal["rate_limiting", "http_429", "http_5xx"]
_KINDS = get_args(_Kind)
_ALONE = ("instance_health_and_rate_limiting", "http_429", "http_5xx")


def _strategy(value: Any) -> None:
    if isinstance(value, str):
        if value not in _ALONE:
            raise ValueError("no strategy")
    elif not isinstance(value, list) or not all(kind in _KINDS for kind in value):
        raise ValueError("no strategy")


def _some(several: tuple[Any, ...]) -> None:
    if not several:
        raise ValueError("there is none")


def _unique(values: tuple[int, ...]) -> None:
    if len(set(values)) < len(values):
        raise ValueError("a value is repeated")


class Balancer(Part, frozen=True, kw_only=True):
    """Who is asked first."""

    algorithm: Annotated[
        str,
        about(
            "`roundrobin` (by weight), `chash` (by key), `semantic` (by likeness to"
            " `examples`), [new] `least_conn` (fewest under way for its weight), [new]"
            " `ewma` (likely the first to answer), or a third party's."
        ),
    ] = "roundrobin"
    hash_on: Annotated[
        Literal["vars", "header", "cookie", "consumer", "vars_combinations"],
        about("What `chash` looks at."),
    ] = "vars"
    key: Annotated[
        str | None,
        about(
            "Which variable, header or cookie that is; a text with `$variables` for"
            " `vars_combinations`. A request without it is hashed on its client's"
            " address."
        ),
    ] = None


class RetryConf(Part, frozen=True, kw_only=True):
    """[new] Repeats at instances that were tried already, when no other is left."""

    same_instance: Annotated[
        int,
        Meta(ge=0, le=10),
        about("How often an instance may be asked again in one request."),
    ] = 1
    backoff_ms: Annotated[
        Natural, about("The wait before the first repeat, ms; doubled for each next.")
    ] = 200
    max_backoff_ms: Annotated[
        Natural,
        about("The longest wait, ms; a provider that asks for more is not repeated."),
    ] = 5000
    jitter: Annotated[
        float, Meta(ge=0, le=1), about("The part of a wait that is random.")
    ] = 0.5
    respect_retry_after: Annotated[
        bool, about("Whether to wait as long as the provider asks.")
    ] = True


class HedgeConf(Part, frozen=True, kw_only=True):
    """
    [new] Further attempts, at other instances, beside one that is slow to begin. The
    first content wins; the others are stopped. Within the route's budget of repeats.
    """

    delay_ms: Annotated[
        Milliseconds,
        about("How long nothing has come when another attempt is begun, ms."),
    ]
    max: Annotated[
        int, Meta(ge=1, le=5), about("How many may be begun for one request.")
    ] = 1


class BreakerConf(Part, frozen=True, kw_only=True):
    """[new] When an instance is left alone, and when it is tried again."""

    failures: Annotated[Positive, about("Failures in a row that open it.")] = 5
    ratio: Annotated[
        float, Meta(ge=0, le=1), about("The part of failed attempts that opens it.")
    ] = 0.5
    min_requests: Annotated[
        Positive, about("How many attempts there must be for `ratio` to count.")
    ] = 20
    window_ms: Annotated[
        Milliseconds, about("The window that `ratio` looks at, ms.")
    ] = 10_000
    open_ms: Annotated[Milliseconds, about("How long it stays open, ms.")] = 5000
    half_open: Annotated[
        Positive, about("Attempts let through then, all of which must succeed.")
    ] = 1


class MultiInstance(Use, frozen=True, kw_only=True):
    """
    One use of a provider. What `ai-proxy-multi` says of transport holds for it where it
    says nothing itself.
    """

    name: Annotated[
        str, Meta(min_length=1, max_length=100), about("Its name; unique here.")
    ]
    weight: Annotated[
        Natural, about("Its share among those of its priority; 0 is never asked.")
    ]
    priority: Annotated[int, about("The larger is asked first.")] = 0
    checks: Annotated[
        Checks | None, about("Health checks; unset, it counts as healthy.")
    ] = None
    examples: Annotated[
        Annotated[
            tuple[Annotated[str, Meta(min_length=1)], ...],
            Meta(min_length=1, max_length=64),
        ]
        | None,
        about("Texts like those it is for; the semantic balancer compares them."),
    ] = None
    threshold: Annotated[
        Threshold | None, about("The least likeness; unset, `semantic_opts` says it.")
    ] = None
    models: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        about("[new] Globs over the client's model; none takes every model."),
    ] = ()
    model_map: Annotated[
        dict[str, Annotated[str, Meta(min_length=1)]],
        about("[new] The client's model to the one asked of the provider."),
    ] = msgspec.field(default_factory=dict)
    max_concurrent: Annotated[
        Positive | None, about("[new] The most attempts at once, per worker.")
    ] = None
    max_queued: Annotated[
        Natural,
        about("[new] The most requests that wait for one of those; more get 503."),
    ] = 100
    queue_timeout_ms: Annotated[
        Milliseconds, about("[new] How long they wait, ms.")
    ] = 30_000
    prefill: Annotated[
        bool,
        about(
            "[new] Whether its models go on from an assistant message that stands last;"
            " `on_stream_failure: continue` asks only such."
        ),
    ] = False


class AiProxyMulti(Transport, frozen=True, kw_only=True):
    """Several instances behind a route."""

    heirs: ClassVar[str] = "instances"
    models_from: ModelsFrom = None
    instances: Annotated[
        tuple[MultiInstance, ...],
        Check(_some, "at least one"),
        about("Who may be asked."),
    ]
    balancer: Annotated[Balancer, about("Who is asked first.")] = Balancer()
    semantic_opts: Annotated[
        SemanticOpts | None, about("What the semantic balancer needs.")
    ] = None
    fallback_strategy: Annotated[
        Any,
        Check(
            _strategy,
            f"{', '.join(_ALONE)}, or a list of {', '.join(_KINDS)}",
        ),
        about(
            "Which failures move a request to another instance: `http_429`, `http_5xx`"
            " (connection failures and timeouts are 502 and 504)."
        ),
    ] = None
    fallback_http_statuses: Annotated[
        Annotated[
            tuple[Annotated[int, Meta(ge=400, le=599)], ...],
            Meta(min_length=1),
            Check(_unique, "unique values"),
        ]
        | None,
        about("Further statuses that do."),
    ] = None
    max_retries: Annotated[
        Natural | None, about("The most attempts after the first; unset, no limit.")
    ] = None
    retry_on_failure_within_ms: Annotated[
        Positive | None,
        about("An attempt that took longer to fail is not followed by another."),
    ] = None
    retry: Annotated[
        RetryConf | None, about("[new] Repeats; unset, there are none.")
    ] = None
    hedge: Annotated[
        HedgeConf | None,
        about("[new] Attempts beside one that is slow to begin; unset, none."),
    ] = None
    on_stream_failure: Annotated[
        Literal["end", "continue"],
        about(
            "[new] What follows where a stream breaks after output: it ends with an"
            " error, or another instance (`prefill: true`) is asked to go on from the"
            " text so far. Text only; such streams are always converted."
        ),
    ] = "end"
    breaker: Annotated[
        BreakerConf | None, about("[new] A breaker for each instance; unset, none.")
    ] = None
    cooldown_max_ms: Annotated[
        Natural,
        about(
            "[new] How long an instance rests at most because it asked for it"
            " (Retry-After), ms; 0 heeds none."
        ),
    ] = 60_000
    debug_headers: Annotated[
        bool,
        about("[new] Whether `x-aigw-instance` and `x-aigw-attempts` are told."),
    ] = False
    meta: Annotated[PluginMeta, about("What every plugin object may hold.")] = (
        msgspec.field(name="_meta", default=PluginMeta())
    )
