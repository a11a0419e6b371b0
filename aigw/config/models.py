"""``models``: routes by the model's name alone, for who thinks in models."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from aigw.model.envelope import Envelope
from aigw.model.route import Route

from .multi import AiProxyMulti, MultiInstance
from .part import Natural, about
from .policy import instances_of, policy_of
from .providers import Hosts
from .reading import Reader

#: Where a request names a model, in its path or its body.
PATHS: Final = (
    "/v1/chat/completions",
    "/v1/audio/speech",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/images/generations",
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/moderations",
    "/v1/rerank",
    "/v1/responses",
    "/model/*",
    "/v1/models/*",
    "/v1beta/models/*",
)
#: Where the models are listed.
LISTED: Final = (
    "/v1/models",
    "/v1/models/*",
    "/v1beta/models",
    "/v1beta/models/*",
)


class ModelInstance(MultiInstance, frozen=True, kw_only=True):
    """As of `ai-proxy-multi`, but name and weight may be left out."""

    name: Annotated[
        str,
        Meta(max_length=100),
        about("Its name; unset, its provider and its place from 1."),
    ] = ""
    weight: Annotated[Natural, about("Its share; 0 is never asked.")] = 1


class Model(AiProxyMulti, frozen=True, kw_only=True):
    """One model's instances; every field of `ai-proxy-multi`."""

    instances: Annotated[tuple[ModelInstance, ...], about("Who may be asked.")]


def model_routes(
    models: Mapping[str, Model],
    reader: Reader,
    hosts: Hosts,
    balancers: Collection[str],
    max_body: int,
) -> tuple[Route, ...]:
    """
    A route for each model, and one that lists them. They stand before those of
    ``routes`` and take nothing but the models they name; the list stands behind.

    :param hosts: the providers there are, see :mod:`.providers`.
    :param balancers: the names of the balancers there are.
    :param max_body: the largest request body where nothing states one, bytes.
    """
    made = []
    for order, (name, conf) in enumerate(models.items()):
        if conf.meta.disable:
            continue
        path = f"models.{name}"
        if not conf.instances:
            reader.problem(f"{path}.instances", "there is none; accepted: at least one")
        conf = msgspec.structs.replace(conf, instances=_named(conf))
        if conf.models_from is not None:
            reader.problem(
                f"{path}.models_from", "the names here are listed; accepted: unset"
            )
        instances = instances_of(conf, path, reader, hosts, max_body)
        policy = policy_of(conf, path, reader, balancers)
        made.append(
            Route(
                id=f"model:{name}",
                paths=PATHS,
                instances=instances,
                methods=frozenset({"POST"}),
                order=order - len(models),
                test=_asks_for(name),
                reads_body=True,
                strip_prefix=True,
                allow_origins=conf.allow_origins,
                injects=any(instance.has_auth for instance in instances),
                retries=policy.retries(len(instances)),
                policy=policy,
                model=name,
            )
        )
    if not made:
        return ()
    names = tuple(route.id.removeprefix("model:") for route in made)
    origins = tuple(dict.fromkeys(o for route in made for o in route.allow_origins))
    made.append(
        Route(
            id="models",
            paths=LISTED,
            instances=(),
            methods=frozenset({"GET", "HEAD"}),
            order=1 << 30,
            strip_prefix=True,
            allow_origins=origins,
            models=names,
        )
    )
    return tuple(made)


def _named(conf: Model) -> tuple[MultiInstance, ...]:
    return tuple(
        msgspec.structs.replace(one, name=one.name or f"{one.provider}-{index + 1}")
        if isinstance(one, MultiInstance)
        else one
        for index, one in enumerate(conf.instances)
    )


def _asks_for(name: str) -> Callable[[Envelope, str], bool]:
    return lambda envelope, peer: envelope.model == name
