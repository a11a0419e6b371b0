"""The whole of a configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import msgspec

from .consumers import Consumer
from .log import Log
from .models import Model
from .part import Part, about
from .plugins import NOT_BUILT, OBSERVING, SERVING
from .route import RouteConf
from .server import Admin, Server
from .state import State

_NOT_BUILT = "not implemented by this version"


class PluginMetadata(Part, frozen=True, kw_only=True):
    """Settings of plugins that hold for all routes."""

    ignored: ClassVar[frozenset[str]] = OBSERVING
    refused: ClassVar[Mapping[str, str]] = dict.fromkeys(
        NOT_BUILT | SERVING, _NOT_BUILT
    )


class File(Part, frozen=True, kw_only=True):
    """The whole of a configuration file."""

    refused: ClassVar[Mapping[str, str]] = {
        "consumer_groups": _NOT_BUILT,
        "global_rules": _NOT_BUILT,
        "plugin_configs": _NOT_BUILT,
        "protos": _NOT_BUILT,
        "secrets": _NOT_BUILT,
        "services": _NOT_BUILT,
        "ssls": f"{_NOT_BUILT}; listen on an ssl: or tls: endpoint",
        "stream_routes": _NOT_BUILT,
        "upstreams": f"{_NOT_BUILT}; name the provider in the route's ai-proxy",
    }

    server: Annotated[
        Server, about("Listeners for clients, limits of the process.")
    ] = Server()
    admin: Annotated[Admin, about("Health checks, and what operators ask.")] = Admin()
    log: Annotated[Log, about("What is logged, and where.")] = Log()
    state: Annotated[State, about("Where counters and caches are kept.")] = State()
    routes: Annotated[tuple[RouteConf, ...], about("The routes, in order.")] = ()
    models: Annotated[
        dict[str, Model],
        about(
            "[new] Models by name, each with `instances` and any other field of"
            " `ai-proxy-multi`; served at the model-call endpoints, and listed at"
            " `/v1/models`."
        ),
    ] = msgspec.field(default_factory=dict)
    consumers: Annotated[tuple[Consumer, ...], about("Who may call.")] = ()
    plugin_metadata: Annotated[
        PluginMetadata, about("Settings of plugins that hold for all routes.")
    ] = PluginMetadata()
