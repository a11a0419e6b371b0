"""What models the instances of a route have, as their providers tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from aigw.errors import GatewayError, UpstreamError
from aigw.http.headers import towards_provider
from aigw.interfaces import IProvider, IReceiver, IUpstream, IWheel
from aigw.model.envelope import Envelope
from aigw.model.headers import Headers, first
from aigw.model.instance import Instance
from aigw.model.route import Route
from aigw.signing.signing import Signing

log = Logger()

#: How long a list is kept, seconds.
KEPT: Final = 60.0
#: How long an instance may take to tell its own, seconds.
PATIENCE: Final = 10.0
#: The longest list that is read, bytes.
_MOST: Final = 8 * 1024 * 1024
#: Vendors that tell only a few unless asked for more.
_PAGES: Final = {"anthropic": b"limit=1000", "anthropic-compatible": b"limit=1000"}


class Catalogue:
    """
    The lists of all routes that take theirs from upstream. Instances are asked at the
    same time, with the credentials of the configuration and never a client's; one that
    fails, or tells nothing that can be read, is left out.
    """

    def __init__(
        self,
        upstream: IUpstream,
        wheel: IWheel,
        providers: Mapping[str, IProvider],
        signing: Signing,
    ) -> None:
        self._upstream = upstream
        self._wheel = wheel
        self._providers = providers
        self._signing = signing
        self._lists: dict[str, _List] = {}

    def names(self, route: Route) -> Deferred[list[str]]:
        """
        The models of ``route``, each once, in the order of its instances. They are
        asked for once, however many clients wait. Cancelling it disturbs no other.
        """
        kept = self._lists.get(route.id)
        now = self._wheel.seconds()
        if kept is None or kept.route is not route or kept.until <= now:
            kept = self._lists[route.id] = _List(route, now + KEPT)
            asking = Deferred.fromCoroutine(self._ask_all(route))
            asking.addCallbacks(kept.told, kept.failed)
        return kept.wait()

    async def _ask_all(self, route: Route) -> list[str]:
        asking = [
            Deferred.fromCoroutine(self._ask(instance)) for instance in route.instances
        ]
        names: dict[str, None] = {}
        for instance, answer in zip(route.instances, asking, strict=True):
            names.update(dict.fromkeys(filter(instance.takes, await answer)))
            names.update(dict.fromkeys(instance.model_map))
        return list(names)

    async def _ask(self, instance: Instance) -> list[str]:
        try:
            return await self._told(instance)
        except (
            GatewayError,
            msgspec.MsgspecError,
            ValueError,
            RecursionError,  # nested too deep
        ) as error:
            log.warn(
                "Instance {instance} does not tell its models: {error}",
                instance=instance.name,
                error=str(error),
            )
            return []

    async def _told(self, instance: Instance) -> list[str]:
        provider = self._providers[instance.provider]
        outbound = provider.prepare(_question(instance), "passthrough", instance)
        outbound.headers = towards_provider([], outbound.headers, instance)
        if instance.auth:
            outbound = await self._signing.sign(outbound, instance)
        whole = _Whole()
        call = self._upstream.send(outbound, whole)
        late = self._wheel.after(PATIENCE, whole.late)
        try:
            status, body = await whole.done
        finally:
            late.cancel()
            call.stop()
        if status != 200:
            raise UpstreamError(f"it answered with status {status}")
        return _names(body)


class _List:
    """
    One route's list, or who waits for it.

    :ivar until: clock seconds.
    """

    def __init__(self, route: Route, until: float) -> None:
        self.route = route
        self.until = until
        self._names: list[str] | None = None
        self._waiting: list[Deferred[list[str]]] = []

    def wait(self) -> Deferred[list[str]]:
        waiting: Deferred[list[str]] = Deferred()
        if self._names is None:
            self._waiting.append(waiting)
        else:
            waiting.callback(self._names)
        return waiting

    def told(self, names: list[str]) -> None:
        self._names = names
        if not names:
            self.until = 0.0  # nobody answered: the next client asks again
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.called:  # its client may have left
                each.callback(names)

    def failed(self, failure: Any) -> None:
        """A bug; nobody shall wait for ever."""
        log.failure("Listing models failed.", failure)
        self.told([])


@implementer(IReceiver)
class _Whole:
    """
    Takes a whole answer.

    :ivar done: fires with its status and body, or with an UpstreamError.
    """

    def __init__(self) -> None:
        self.done: Deferred[tuple[int, bytes]] = Deferred()
        self._status = 0
        self._size = 0
        self._pieces: list[bytes] = []

    def head(self, status: int, headers: Headers) -> None:
        self._status = status

    def body(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > _MOST:
            self.failed(UpstreamError("its list is too long"))
        else:
            self._pieces.append(data)

    def ended(self) -> None:
        if not self.done.called:
            self.done.callback((self._status, b"".join(self._pieces)))

    def failed(self, error: UpstreamError) -> None:
        if not self.done.called:
            self.done.errback(error)

    def late(self) -> None:
        self.failed(UpstreamError("it took too long"))


def _question(instance: Instance) -> Envelope:
    """The request for the list, as the instance's vendor understands it."""
    path, query = "/v1/models", _PAGES.get(instance.provider, b"")
    if instance.provider == "gemini" and not first(
        instance.auth_headers, b"authorization"
    ):
        # A bearer is for Google's OpenAI-compatible side; its keys are for this one.
        path, query = "/v1beta/models", b"pageSize=1000"
    return Envelope("GET", path, path.encode("ascii"), query, [])


def _names(body: bytes) -> list[str]:
    """The ids in a list, whoever's: ``data`` of OpenAI and Anthropic, or a bare one."""
    told: Any = msgspec.json.decode(body)
    held = told.get("data", told.get("models")) if isinstance(told, dict) else told
    names = []
    for model in held if isinstance(held, list) else ():
        name = model.get("id", model.get("name")) if isinstance(model, dict) else None
        if isinstance(name, str) and name:
            names.append(name.removeprefix("models/"))
    return names
