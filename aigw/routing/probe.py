"""
Active health checks: every node of an instance with ``checks`` is probed, from the
moment the configuration is loaded.

Probes of http and https go through :class:`IUpstream`, which can connect to one address
of a name while Host and the TLS name stay the name's; those of tcp through an endpoint.
A name's nodes are all its addresses; they are looked up again every few seconds.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.error import ConnectError, ConnectingCancelledError
from twisted.internet.error import TimeoutError as TookTooLong
from twisted.internet.interfaces import IAddress, IHostResolution
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import Logger
from zope.interface import implementer

from aigw.errors import GatewayError, UpstreamError, UpstreamTimeout
from aigw.interfaces import (
    IAlarm,
    IProvider,
    IReceiver,
    IUpstream,
    IUpstreamCall,
    IWheel,
)
from aigw.model.check import ActiveCheck
from aigw.model.headers import Headers
from aigw.model.instance import Instance
from aigw.model.outbound import Keepalive, Origin, Outbound, Patience, Trust
from aigw.providers.address import origin_of

from .clusters import Clusters
from .health import Health, Probed
from .instances import Standing

log = Logger()

#: How often a name's addresses are looked up, seconds.
LOOK_UP: Final = 10.0


class Resolver:
    """All addresses of a name, by the reactor's resolver (hosts file first)."""

    def __init__(self, reactor: Any) -> None:
        """:param reactor: provides IReactorPluggableNameResolver."""
        self._reactor = reactor

    def __call__(self, host: str) -> Deferred[list[str]]:
        """The addresses, sorted; empty where there are none."""
        receiver = _Addresses()
        self._reactor.nameResolver.resolveHostName(receiver, host)
        return receiver.done


class _Addresses:
    """An IResolutionReceiver."""

    def __init__(self) -> None:
        self.done: Deferred[list[str]] = Deferred()
        self._found: set[str] = set()

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        pass

    def addressResolved(self, address: IAddress) -> None:
        self._found.add(address.host)  # type: ignore[attr-defined]

    def resolutionComplete(self) -> None:
        self.done.callback(sorted(self._found))


@implementer(IReceiver)
class _Status:
    """Takes an answer's status and no more."""

    def __init__(self) -> None:
        self.done: Deferred[int] = Deferred()

    def head(self, status: int, headers: Headers) -> None:
        if not self.done.called:
            self.done.callback(status)

    def body(self, data: bytes) -> None:
        """Nobody wants it."""

    def ended(self) -> None:
        """The status is all that counts."""

    def failed(self, error: UpstreamError) -> None:
        if not self.done.called:
            self.done.errback(error)


class _Node:
    """One address of an instance."""

    def __init__(self, address: str, check: ActiveCheck) -> None:
        self.address = address
        self.health = Health(check)
        self.alarm: IAlarm | None = None
        self.probing: Deferred[None] | None = None

    def stop(self) -> None:
        if self.alarm is not None:
            self.alarm.cancel()
        if self.probing is not None:
            self.probing.cancel()


class Checker:
    """
    Probes the nodes of one instance.

    :param changed: called when a node's or the instance's health has changed.
    """

    def __init__(
        self,
        standing: Standing,
        origin: Origin,
        prober: Prober,
        changed: Callable[[], None],
    ) -> None:
        check = standing.instance.check
        assert check is not None, "there is nothing to check"
        self.check = check
        self.origin = origin
        self.standing = standing
        self._prober = prober
        self._changed = changed
        self._nodes: dict[str, _Node] = {}
        self._under_way = 0
        self._waiting: list[_Node] = []
        self._look_up: IAlarm | None = None
        self._stopped = False
        self._resolve()

    def stop(self) -> None:
        """Probe no more; what was found out stays."""
        self._stopped = True
        if self._look_up is not None:
            self._look_up.cancel()
        for node in self._nodes.values():
            node.stop()

    # -- which nodes there are

    def _resolve(self) -> None:
        origin = self.origin
        if _literal(origin.host) or (origin.proxy is not None):
            self._set([origin.host])
            return
        self._look_up = self._prober.wheel.after(LOOK_UP, self._resolve)
        found = self._prober.resolve(origin.host)
        found.addCallback(self._set)
        found.addErrback(
            lambda failure: log.failure("A look-up failed.", failure=failure)
        )

    def _set(self, addresses: list[str]) -> None:
        """These are the nodes; none found leaves those that were known."""
        if self._stopped or not addresses:
            return
        for address in self._nodes.keys() - set(addresses):
            self._nodes.pop(address).stop()
        for address in addresses:
            if address not in self._nodes:
                node = self._nodes[address] = _Node(address, self.check)
                # What is known of it from before a reload stays.
                node.health.healthy = self.standing.nodes.get(address, True)
                self._begin(node)
        self._tell()

    def _tell(self) -> None:
        nodes = {address: node.health.healthy for address, node in self._nodes.items()}
        if self.standing.heard(nodes):
            self._changed()

    # -- probes

    def _begin(self, node: _Node) -> None:
        node.alarm = None
        if self._under_way >= self.check.concurrency:
            self._waiting.append(node)
            return
        self._under_way += 1
        node.probing = Deferred.fromCoroutine(self._probe(node))
        node.probing.addErrback(
            lambda failure: failure.trap(CancelledError, ConnectingCancelledError)
        )
        node.probing.addErrback(
            lambda failure: log.failure("A probe failed.", failure=failure)
        )

    async def _probe(self, node: _Node) -> None:
        """One probe, and the next one set; whatever becomes of this one."""
        try:
            probed = await self._ask(node)
            if node.health.tell(probed):
                log.info(
                    "{instance} at {address} is now {state}.",
                    instance=self.standing.instance.name,
                    address=node.address,
                    state="healthy" if node.health.healthy else "unhealthy",
                )
            self._tell()
        finally:
            self._under_way -= 1
            node.probing = None
            if not self._stopped:
                if self._nodes.get(node.address) is node:
                    node.alarm = self._prober.wheel.after(
                        node.health.interval, lambda: self._begin(node)
                    )
                if self._waiting:
                    self._begin(self._waiting.pop(0))

    async def _ask(self, node: _Node) -> Probed:
        try:
            if self.check.type == "tcp":
                await self._prober.touch(node.address, self._port, self.check.timeout)
                return Probed.SUCCESS
            return node.health.status(await self._status(node))
        except (UpstreamTimeout, TookTooLong):
            return Probed.TIMEOUT
        except (GatewayError, ConnectError):
            return Probed.TCP_FAILURE

    @property
    def _port(self) -> int:
        return self.check.port or self.origin.port

    async def _status(self, node: _Node) -> int:
        check, origin = self.check, self.origin
        literal = node.address == origin.host
        outbound = Outbound(
            origin=Origin(
                check.type,
                origin.host,
                self._port,
                trust=_trust(origin.trust, check.verify),
                proxy=origin.proxy,
                address=None if literal else node.address,
            ),
            method=check.method,
            target=check.path.encode("ascii"),
            headers=check.fields(),
            body=check.body,
            patience=Patience(check.timeout, check.timeout, check.timeout),
            keepalive=Keepalive(size=0),
        )
        if check.host:
            outbound.headers.append((b"host", check.host.encode("ascii")))
        return await self._prober.status(outbound, check.timeout)


class Prober:
    """
    Probes all instances with checks; one for all workers.

    :param clusters: whose instances; it is told what was found out.
    :param resolve: the addresses of a name, sorted.
    :param changed: called when something has changed.
    """

    def __init__(
        self,
        reactor: Any,
        upstream: IUpstream,
        wheel: IWheel,
        providers: Mapping[str, IProvider],
        clusters: Clusters,
        changed: Callable[[], None] = lambda: None,
        resolve: Callable[[str], Deferred[list[str]]] | None = None,
    ) -> None:
        self.wheel = wheel
        self.resolve = resolve or Resolver(reactor)
        self._reactor = reactor
        self._upstream = upstream
        self._providers = providers
        self._clusters = clusters
        self._changed = changed
        self._checkers: dict[Standing, Checker] = {}

    def use(self, off: bool) -> None:
        """
        The clusters have been configured anew. A checker whose check stayed as it was
        goes on.

        :param off: whether to probe nothing at all.
        """
        wanted = {} if off else dict(self._wanted())
        for standing, checker in list(self._checkers.items()):
            origin = wanted.get(standing)
            if (checker.check, checker.origin) != (standing.instance.check, origin):
                checker.stop()
                del self._checkers[standing]
                if origin is None:
                    standing.heard({})
        for standing, origin in wanted.items():
            if standing not in self._checkers:
                self._checkers[standing] = Checker(
                    standing, origin, self, self._changed
                )

    def stop(self) -> None:
        """Probe no more."""
        for checker in self._checkers.values():
            checker.stop()
        self._checkers.clear()

    def _wanted(self) -> Iterable[tuple[Standing, Origin]]:
        for cluster in self._clusters:
            for standing in cluster.standings.values():
                instance = standing.instance
                if instance.check is not None:
                    yield standing, self._origin(instance)

    def _origin(self, instance: Instance) -> Origin:
        host = self._providers[instance.provider].host
        region = instance.provider_conf.get("region", "")
        return origin_of(instance, host and host.replace("{region}", region))

    # -- for checkers

    async def status(self, outbound: Outbound, timeout: float) -> int:
        """
        The status of an answer.

        :raises GatewayError: there was none.
        """
        receiver = _Status()
        call = self._upstream.send(outbound, receiver)
        late = self.wheel.after(timeout, lambda: _late(receiver, call))
        try:
            return await receiver.done
        finally:
            late.cancel()
            call.stop()

    async def touch(self, address: str, port: int, timeout: float) -> None:
        """
        Connect, and hang up.

        :raises ConnectError: it cannot be done, or not in time.
        """
        kind = TCP6ClientEndpoint if ":" in address else TCP4ClientEndpoint
        endpoint = kind(self._reactor, address, port, timeout=timeout)
        protocol: Any = await endpoint.connect(_Nothing())
        protocol.transport.abortConnection()


class _Nothing(Factory):
    protocol = Protocol
    noisy = False


def _late(receiver: _Status, call: IUpstreamCall) -> None:
    call.stop()
    receiver.failed(UpstreamTimeout("the probe took too long", reason="read"))


def _literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _trust(trust: Trust, verify: bool) -> Trust:
    return Trust(verify, trust.ca_file, trust.cert_file, trust.key_file)
