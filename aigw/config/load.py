"""
Reading a configuration: bytes to :class:`~.settings.Settings`, or every problem found.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from aigw.errors import ConfigError

from .consumers import Consumer
from .file import File
from .models import model_routes
from .policy import BALANCERS
from .providers import Hosts
from .reading import WRONG, Reader
from .routes import routes_of
from .settings import Settings
from .source import parse


def load(
    source: str | os.PathLike[str] | bytes,
    environ: Mapping[str, str],
    *,
    providers: Hosts,
    balancers: Collection[str] = BALANCERS,
    dialects: Mapping[str, Collection[str]] | None = None,
    name: str = "",
) -> Settings:
    """
    Read a configuration file, check all of it, and compile it.

    :param source: the file's path, or its bytes.
    :param environ: the environment that references and proxies are taken from.
    :param providers: the providers there are: name to the host each reaches without an
        endpoint (``{region}`` stands for ``provider_conf.region``), None where an
        endpoint must be configured.
    :param balancers: the names of the balancers there are.
    :param dialects: provider name to the dialects it speaks; a provider that is not in
        it may be told to speak any.
    :param name: what errors call the file; its path where one is given. A name ending
        in ``.json`` is read as JSON only.
    :raises ConfigError: the file cannot be read, or anything in it is wrong; its
        ``problems`` are all that were found.
    """
    if isinstance(source, bytes):
        data = source
    else:
        name = name or os.fspath(source)
        try:
            data = Path(source).read_bytes()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ConfigError([f"{name}: cannot be read: {reason}"]) from error
    name = name or "configuration"
    try:
        tree = parse(data, as_json=name.endswith(".json"))
        if tree is None:
            # An editor truncates before it writes: this is no wish to have no routes.
            raise ValueError("the file is empty")
    except ValueError as error:
        raise ConfigError([f"{name}: {error}"]) from error
    return compiled(
        tree,
        data,
        environ,
        providers=providers,
        balancers=balancers,
        dialects=dialects,
        name=name,
    )


def compiled(
    tree: Any,
    data: bytes,
    environ: Mapping[str, str],
    *,
    providers: Hosts,
    balancers: Collection[str] = BALANCERS,
    dialects: Mapping[str, Collection[str]] | None = None,
    name: str,
) -> Settings:
    """
    Check and compile a configuration that is parsed already; see :func:`load`.

    :param tree: the plain objects.
    :param data: the bytes they were parsed from.
    """
    reader = Reader(name, environ, dialects)
    file = reader.read(File, tree, "")
    if file is WRONG:
        raise ConfigError(reader.problems)
    max_body = file.server.default_max_req_body_size
    routes = routes_of(file.routes, reader, providers, balancers, max_body)
    routes += model_routes(file.models, reader, providers, balancers, max_body)
    if file.state.type == "redis":
        reader.problem(
            "state.type", "redis is not implemented by this version; accepted: memory"
        )
    names: set[str] = set()
    for order, consumer in enumerate(file.consumers):
        if not isinstance(consumer, Consumer):
            continue
        if consumer.username in names:
            reader.problem(f"consumers[{order}].username", "the name is taken already")
        names.add(consumer.username)
    if reader.problems:
        raise ConfigError(reader.problems)
    if file.admin.key is not None:
        text = "no use yet: what the listener tells, it tells without a key"
        reader.warn("admin.key", text)
    if not routes:
        reader.warn("routes", "there are none: every request will get 404")
    return Settings(
        server=file.server,
        admin=file.admin,
        log=file.log,
        state=file.state,
        routes=routes,
        consumers=file.consumers,
        warnings=tuple(reader.warnings),
        sha256=hashlib.sha256(data).hexdigest(),
        source=data,
        file=file,
        written=reader.written,
    )
