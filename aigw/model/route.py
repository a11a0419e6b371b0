"""A route: what requests it takes, and what serves them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .envelope import Envelope
from .instance import Instance
from .policy import Policy


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """
    One compiled route.

    :ivar id: the route's id in the configuration.
    :ivar paths: exact paths, or prefixes ending in ``*``.
    :ivar methods: methods it takes; empty takes all.
    :ivar hosts: exact hosts or ``*.suffix``, lower case; empty takes all.
    :ivar priority: the larger wins among routes with equally good host and path.
    :ivar order: its place in the file.
    :ivar test: the ``vars`` expression, or None.
    :ivar reads_body: whether ``test`` needs the body (``post_arg``).
    :ivar strip_prefix: whether ``/anthropic``, ``/openai``, ``/bedrock`` and ``/genai``
        before a dialect's own path, and OpenAI paths without ``/v1``, are understood.
    :ivar allow_origins: browser origins let in; on a route that injects credentials any
        other ``Origin`` is refused.
    :ivar injects: whether an instance of it has credentials of its own.
    :ivar instances: what serves it, in the file's order.
    :ivar retries: whether another try may ever follow a failed one.
    :ivar models: the models it lists, where it answers for them itself.
    :ivar lists_upstream: whether it lists the models its instances have.
    :ivar model: the one model it takes, ``""`` where its name does not matter.
    :ivar policy: how several instances serve it; None where one does, and plainly.
    :ivar max_body: the largest request body that an instance of it takes, bytes.
    :ivar max_upload: the largest that is relayed as it comes, bytes.
    """

    id: str
    paths: tuple[str, ...]
    instances: tuple[Instance, ...]
    methods: frozenset[str] = frozenset()
    hosts: tuple[str, ...] = ()
    priority: int = 0
    order: int = 0
    test: Callable[[Envelope, str], bool] | None = None
    reads_body: bool = False
    strip_prefix: bool = False
    allow_origins: tuple[str, ...] = ()
    injects: bool = False
    retries: bool = False
    policy: Policy | None = None
    models: tuple[str, ...] = ()
    lists_upstream: bool = False
    model: str = ""
    max_body: int = field(init=False)
    max_upload: int = field(init=False)

    def __post_init__(self) -> None:
        bodies = (instance.max_body for instance in self.instances)
        uploads = (instance.max_upload for instance in self.instances)
        object.__setattr__(self, "max_body", max(bodies, default=0))
        object.__setattr__(self, "max_upload", max(uploads, default=0))
