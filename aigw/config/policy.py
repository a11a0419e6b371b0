"""From an ``ai-proxy-multi`` object to the instances and the policy of a route."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import replace

from aigw.model.instance import Instance
from aigw.model.policy import BreakerRule, Hedge, Key, Policy, Retry

from .checks import check_of
from .hashing import UNKNOWN, key_of
from .instances import instance_of
from .multi import (
    AiProxyMulti,
    Balancer,
    BreakerConf,
    HedgeConf,
    MultiInstance,
    RetryConf,
)
from .providers import Hosts
from .ranking import semantic_of
from .reading import Reader

#: The balancers of this version. Others come from makers.
BALANCERS = frozenset({"chash", "ewma", "least_conn", "roundrobin", "semantic"})


def instances_of(
    conf: AiProxyMulti, path: str, reader: Reader, hosts: Hosts, max_body: int
) -> tuple[Instance, ...]:
    """
    Compile the instances. What is wrong is noted with ``reader``.

    :param path: where ``conf`` stands in the file.
    :param hosts: the providers there are, see :mod:`.providers`.
    :param max_body: the largest request body where nothing states one, bytes.
    """
    made = []
    places: dict[str, int] = {}
    for index, one in enumerate(conf.instances):
        if not isinstance(one, MultiInstance):
            continue  # it was found wrong; it only keeps the others' places
        here = f"{path}.instances[{index}]"
        if one.name in places:
            reader.problem(
                f"{here}.name",
                f"duplicate instance name: {one.name} at index {places[one.name]} and"
                f" {index + 1}",
            )
        places.setdefault(one.name, index + 1)
        if one.allow_origins != conf.allow_origins:
            reader.problem(
                f"{here}.allow_origins",
                "it holds for the route; write it beside instances",
            )
        made.append(
            replace(
                instance_of(one, one.name, here, reader, hosts, max_body),
                weight=one.weight,
                priority=one.priority,
                models=one.models,
                model_map=one.model_map,
                max_concurrent=one.max_concurrent,
                max_queued=one.max_queued,
                queue_timeout=one.queue_timeout_ms / 1000,
                prefill=one.prefill,
                check=None if one.checks is None else check_of(one.checks, one.auth),
                examples=one.examples or (),
                threshold=one.threshold,
            )
        )
    if made and not any(instance.weight for instance in made):
        reader.warn(f"{path}.instances", "every weight is 0: no request can be served")
    return tuple(made)


def policy_of(
    conf: AiProxyMulti, path: str, reader: Reader, balancers: Collection[str]
) -> Policy:
    """
    Compile how the instances are chosen and what follows a failure.

    :param balancers: the names of the balancers there are.
    """
    within = conf.retry_on_failure_within_ms
    _idle(conf, path, reader)
    return Policy(
        balancer=_balancer(conf.balancer, f"{path}.balancer", reader, balancers),
        key=_key(conf.balancer, f"{path}.balancer", reader),
        statuses=_statuses(conf),
        max_retries=conf.max_retries,
        within=None if within is None else within / 1000,
        retry=None if conf.retry is None else _retry(conf.retry),
        hedge=None if conf.hedge is None else _hedge(conf.hedge),
        continues=_continues(conf, path, reader),
        breaker=None if conf.breaker is None else _breaker(conf.breaker),
        cooldown=conf.cooldown_max_ms / 1000,
        semantic=semantic_of(conf, path, reader),
        debug_headers=conf.debug_headers,
    )


def _balancer(
    conf: Balancer, path: str, reader: Reader, balancers: Collection[str]
) -> str:
    name = conf.algorithm
    if name not in balancers:
        there = ", ".join(sorted(balancers))
        near = difflib.get_close_matches(name, sorted(balancers), n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        text = f"found {name[:64]!r}; {hint}accepted: {there}"
        reader.problem(f"{path}.algorithm", text)
    return name


def _key(conf: Balancer, path: str, reader: Reader) -> Key | None:
    if conf.algorithm != "chash":
        return None
    try:
        key = key_of(conf.hash_on, conf.key)
    except ValueError as error:
        reader.problem(f"{path}.key", str(error))
        return None
    if conf.hash_on == "vars" and conf.key in UNKNOWN:
        reader.warn(
            f"{path}.key",
            "no request has it here; each is hashed on its client's address",
        )
    return key


def _statuses(conf: AiProxyMulti) -> frozenset[int]:
    strategy = conf.fallback_strategy or ()
    kinds = {strategy} if isinstance(strategy, str) else set(strategy)
    statuses = set(conf.fallback_http_statuses or ())
    if "http_429" in kinds:
        statuses.add(429)
    if "http_5xx" in kinds:
        statuses.update(range(500, 600))
    return frozenset(statuses)


def _retry(conf: RetryConf) -> Retry:
    return Retry(
        same_instance=conf.same_instance,
        backoff=conf.backoff_ms / 1000,
        max_backoff=conf.max_backoff_ms / 1000,
        jitter=conf.jitter,
        respect_retry_after=conf.respect_retry_after,
    )


def _hedge(conf: HedgeConf) -> Hedge:
    return Hedge(delay=conf.delay_ms / 1000, max=conf.max)


def _idle(conf: AiProxyMulti, path: str, reader: Reader) -> None:
    """Warn of what is written and can never happen."""
    if conf.hedge is not None and len(conf.instances) < 2:
        text = "no use with a single instance: another is asked beside the slow one"
        reader.warn(f"{path}.hedge", text)
    followed = conf.fallback_strategy or conf.fallback_http_statuses
    if conf.max_retries and not followed and not conf.retry and not conf.hedge:
        reader.warn(
            f"{path}.max_retries",
            "no use without fallback_strategy, fallback_http_statuses, retry or hedge:"
            " nothing is tried twice",
        )
    if conf.on_stream_failure != "continue":
        for index, one in enumerate(conf.instances):
            if isinstance(one, MultiInstance) and one.prefill:
                text = "no use without on_stream_failure: continue beside instances"
                reader.warn(f"{path}.instances[{index}].prefill", text)


def _continues(conf: AiProxyMulti, path: str, reader: Reader) -> bool:
    if conf.on_stream_failure != "continue":
        return False
    able = [one for one in conf.instances if isinstance(one, MultiInstance)]
    if not any(one.prefill for one in able):
        reader.warn(
            f"{path}.on_stream_failure",
            "no instance has prefill: true, so none can be asked to go on",
        )
    return True


def _breaker(conf: BreakerConf) -> BreakerRule:
    return BreakerRule(
        failures=conf.failures,
        ratio=conf.ratio,
        min_requests=conf.min_requests,
        window=conf.window_ms / 1000,
        open=conf.open_ms / 1000,
        half_open=conf.half_open,
    )
