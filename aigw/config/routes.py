"""From the route objects of a file to the Routes that the rest of aigw works with."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from aigw.model.envelope import Envelope
from aigw.model.instance import Instance
from aigw.model.policy import Policy
from aigw.model.route import Route

from .instances import instance_of
from .multi import AiProxyMulti
from .policy import instances_of, policy_of
from .providers import Hosts
from .proxy import AiProxy
from .reading import Reader
from .route import RouteConf
from .vars import Expression, Test, compile_vars, matches_networks


def routes_of(
    confs: Sequence[RouteConf],
    reader: Reader,
    hosts: Hosts,
    balancers: Collection[str],
    max_body: int,
) -> tuple[Route, ...]:
    """
    Compile the routes that are switched on. All are checked, those switched off too;
    what is wrong is noted with ``reader``.

    :param hosts: the providers there are, see :mod:`.providers`.
    :param balancers: the names of the balancers there are.
    :param max_body: the largest request body where a route states none, bytes.
    """
    routes = []
    seen: dict[str, int] = {}
    for order, conf in enumerate(confs):
        path = f"routes[{order}]"
        if not isinstance(conf, RouteConf):
            continue  # it was found wrong; it only keeps the others' places
        route = _route(conf, order, path, reader, hosts, balancers, max_body)
        if route.id in seen:
            reader.problem(
                f"{path}.id", f"{route.id} is the id of routes[{seen[route.id]}] too"
            )
        seen.setdefault(route.id, order)
        if conf.status:
            routes.append(route)
    return tuple(routes)


def _route(
    conf: RouteConf,
    order: int,
    path: str,
    reader: Reader,
    hosts: Hosts,
    balancers: Collection[str],
    max_body: int,
) -> Route:
    paths = _one_of(conf.uri, conf.uris, "uri", path, reader)
    if not paths and reader.sound(f"{path}.uri") and reader.sound(f"{path}.uris"):
        reader.problem(f"{path}.uri", "missing; accepted: uri or uris")
    expression = _expression(conf, path, reader)
    proxy, multi = _serving(conf, path, reader)
    instances: tuple[Instance, ...] = ()
    policy: Policy | None = None
    if proxy is not None:
        here = f"{path}.plugins.ai-proxy"
        name = f"ai-proxy-{proxy.provider}"
        instances = (instance_of(proxy, name, here, reader, hosts, max_body),)
    elif multi is not None:
        here = f"{path}.plugins.ai-proxy-multi"
        instances = instances_of(multi, here, reader, hosts, max_body)
        policy = policy_of(multi, here, reader, balancers)
    transport = proxy or multi
    models_from = None if transport is None else transport.models_from
    return Route(
        id=f"route-{order + 1}" if conf.id is None else str(conf.id),
        paths=paths,
        instances=instances,
        methods=frozenset(conf.methods),
        hosts=tuple(
            host.lower().rstrip(".")
            for host in _one_of(conf.host, conf.hosts, "host", path, reader)
        ),
        priority=conf.priority,
        order=order,
        test=None if expression is None else expression.test,
        reads_body=expression is not None and expression.reads_body,
        strip_prefix=conf.strip_prefix,
        allow_origins=() if transport is None else transport.allow_origins,
        injects=any(instance.has_auth for instance in instances),
        retries=policy is not None and policy.retries(len(instances)),
        policy=policy,
        models=_names(instances) if models_from == "config" else (),
        lists_upstream=models_from == "upstream",
    )


def _names(instances: tuple[Instance, ...]) -> tuple[str, ...]:
    """The models that are named in the file as clients name them."""
    names: dict[str, None] = {}
    for instance in instances:
        named = [name for name in instance.models if not set(name) & set("*?[")]
        forced = instance.options.get("model")
        if isinstance(forced, str) and not instance.models:
            named.append(forced)
        names.update(dict.fromkeys([*named, *instance.model_map]))
    return tuple(names)


def _serving(
    conf: RouteConf, path: str, reader: Reader
) -> tuple[AiProxy | None, AiProxyMulti | None]:
    """The one plugin that serves the route."""
    plugins = conf.plugins
    proxy, multi = plugins.ai_proxy, plugins.ai_proxy_multi
    if proxy is not None and proxy.meta.disable:
        proxy = None
    if multi is not None and multi.meta.disable:
        multi = None
    if proxy is not None and multi is not None:
        reader.problem(
            f"{path}.plugins.ai-proxy-multi",
            "beside ai-proxy; accepted: one of the two",
        )
    elif proxy is None and multi is None and reader.sound(f"{path}.plugins"):
        reader.problem(
            f"{path}.plugins",
            "nothing here serves the route; accepted: ai-proxy, ai-proxy-multi",
        )
    return proxy, multi


def _one_of(
    one: str | None,
    several: tuple[str, ...] | None,
    name: str,
    path: str,
    reader: Reader,
) -> tuple[str, ...]:
    """The values of a field that may be written in the singular or in the plural."""
    if one is None:
        return several or ()
    if several:
        reader.problem(f"{path}.{name}", f"beside {name}s; accepted: one of the two")
    return (one,)


def _expression(conf: RouteConf, path: str, reader: Reader) -> Expression | None:
    """``vars`` and ``remote_addr`` together."""
    written = None if conf.vars is None else compile_vars(conf.vars)
    networks = _one_of(conf.remote_addr, conf.remote_addrs, "remote_addr", path, reader)
    if not networks:
        return written
    known = matches_networks(networks)
    if written is None:
        return Expression(lambda envelope, peer: known(peer), False)
    rest: Test = written.test

    def test(envelope: Envelope, peer: str) -> bool:
        return known(peer) and rest(envelope, peer)

    return Expression(test, written.reads_body)
