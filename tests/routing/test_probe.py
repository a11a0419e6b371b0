"""Active checks: who is probed, how, how often, and what comes of it."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.testing import MemoryReactorClock

from aigw.errors import ConnectFailed
from aigw.model.check import ActiveCheck
from aigw.model.instance import Endpoint, Instance
from aigw.model.outbound import Trust
from aigw.model.policy import Policy
from aigw.model.route import Route
from aigw.providers import built_in
from aigw.routing.clusters import Clusters
from aigw.routing.probe import LOOK_UP, Prober
from aigw.streaming.timers import Wheel
from aigw.testing.upstream import MemoryCall, MemoryUpstream

CHECK = ActiveCheck(successes=1, http_failures=2, tcp_failures=1, timeouts=1)


def instance(name: str, check: ActiveCheck | None = CHECK, **fields: Any) -> Instance:
    fields.setdefault("endpoint", Endpoint("https", f"{name}.test", 8443))
    return Instance(name=name, provider="openai-compatible", check=check, **fields)


class Lab:
    """
    A prober without sockets.

    :ivar statuses: address to the status it answers with; None lets it hang, and
        anything else refuses the connection.
    """

    def __init__(self, *instances: Instance) -> None:
        self.clock = MemoryReactorClock()
        self.wheel = Wheel(self.clock)
        self.upstream = MemoryUpstream(self.clock)
        self.upstream.respond = self._respond
        self.addresses: dict[str, list[str]] = {}
        self.looked_up: list[str] = []
        self.statuses: dict[str, int | str | None] = {}
        self.clusters = Clusters()
        self.changes = 0
        self.prober = Prober(
            self.clock,
            self.upstream,
            self.wheel,
            built_in(),
            self.clusters,
            self._changed,
            self._resolve,
        )
        if instances:
            self.use(*instances)

    def use(self, *instances: Instance, off: bool = False) -> None:
        route = Route("many", ("/*",), instances, policy=Policy())
        self.clusters.use([route])
        self.prober.use(off)

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.05)):
            self.clock.advance(0.05)

    @property
    def health(self) -> dict[str, bool]:
        (cluster,) = self.clusters
        return {one.instance.name: one.healthy for one in cluster.standings.values()}

    @property
    def nodes(self) -> dict[str, bool]:
        """Of the first instance."""
        (cluster,) = self.clusters
        return next(iter(cluster.standings.values())).nodes

    def probed(self) -> list[str]:
        """The addresses probed since the last look."""
        calls, self.upstream.calls = self.upstream.calls, []
        return [where(call) for call in calls]

    def _changed(self) -> None:
        self.changes += 1

    def _resolve(self, host: str) -> Deferred[list[str]]:
        self.looked_up.append(host)
        return succeed(self.addresses.get(host, ["192.0.2.1"]))

    def _respond(self, call: MemoryCall) -> None:
        status = self.statuses.get(where(call), 200)
        if isinstance(status, int):
            call.answer(status, [], b"")
        elif status is not None:
            call.failed(ConnectFailed(status, reason="refused"))


def where(call: MemoryCall) -> str:
    origin = call.outbound.origin
    return origin.address or origin.host


def test_probes_begin_when_the_configuration_is_loaded() -> None:
    lab = Lab(instance("a"))
    assert lab.probed() == ["192.0.2.1"]


def test_an_instance_without_checks_is_not_probed() -> None:
    lab = Lab(instance("a", None))
    lab.wait(3)
    assert lab.probed() == []
    assert lab.health == {"a": True}


def test_the_switch_turns_all_off_and_everything_counts_as_healthy() -> None:
    lab = Lab(instance("a"))
    lab.statuses["192.0.2.1"] = "refused"
    lab.wait(0.1)
    assert lab.health == {"a": False}
    lab.probed()
    lab.use(instance("a"), off=True)
    lab.wait(3)
    assert lab.probed() == []
    assert lab.health == {"a": True}


@pytest.mark.parametrize("trouble", [500, "refused", None])
def test_a_node_in_trouble_becomes_unhealthy_and_healthy_again(trouble: Any) -> None:
    lab = Lab(instance("a"))
    lab.statuses["192.0.2.1"] = trouble
    lab.wait(3)
    assert lab.health == {"a": False}
    lab.statuses["192.0.2.1"] = 200
    lab.wait(2.5)
    assert lab.health == {"a": True}
    assert lab.changes >= 2


def test_a_probe_that_hangs_is_given_up_in_time() -> None:
    lab = Lab(instance("a"))
    lab.statuses["192.0.2.1"] = None
    lab.wait(1.2)
    assert lab.upstream.calls[0].stopped


def test_intervals_go_by_the_state() -> None:
    check = ActiveCheck(
        tcp_failures=1, healthy_interval=1.0, unhealthy_interval=4.0, successes=1
    )
    lab = Lab(instance("a", check))
    lab.wait(3.5)
    assert 3 <= len(lab.probed()) <= 4
    lab.statuses["192.0.2.1"] = "refused"
    lab.wait(1.2)
    assert lab.health == {"a": False}
    lab.probed()
    lab.wait(4.5)
    assert len(lab.probed()) == 1


def test_a_probe_says_what_is_configured() -> None:
    check = ActiveCheck(
        type="https",
        host="health.test:99",
        port=9443,
        method="POST",
        path="/status?key=v",
        body=b"ping",
        verify=False,
        headers=((b"authorization", b"Bearer k"),),
        timeout=0.7,
    )
    lab = Lab(instance("a", check, trust=Trust(ca_file="/ca.pem")))
    outbound = lab.upstream.last.outbound
    assert (outbound.method, outbound.target) == ("POST", b"/status?key=v")
    assert outbound.body == b"ping"
    assert outbound.headers == [
        (b"authorization", b"Bearer k"),
        (b"host", b"health.test:99"),
    ]
    origin = outbound.origin
    assert (origin.scheme, origin.host, origin.port) == ("https", "a.test", 9443)
    assert origin.address == "192.0.2.1"
    assert (origin.trust.verify, origin.trust.ca_file) == (False, "/ca.pem")
    assert outbound.patience.read == 0.7
    assert outbound.keepalive.size == 0


def test_a_probe_goes_to_the_instances_own_port_and_host() -> None:
    lab = Lab(instance("a", ActiveCheck()))
    outbound = lab.upstream.last.outbound
    assert (outbound.origin.scheme, outbound.origin.port) == ("http", 8443)
    assert outbound.headers == []  # the connection writes the name's Host


# -- nodes


def test_every_address_of_a_name_is_a_node() -> None:
    lab = Lab()
    lab.addresses["a.test"] = ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
    lab.use(instance("a"))
    assert sorted(lab.probed()) == lab.addresses["a.test"]
    assert lab.nodes == dict.fromkeys(lab.addresses["a.test"], True)


def test_an_instance_is_healthy_as_long_as_one_node_is() -> None:
    lab = Lab()
    lab.addresses["a.test"] = ["192.0.2.1", "192.0.2.2"]
    lab.statuses["192.0.2.1"] = "refused"
    lab.use(instance("a"))
    lab.wait(0.1)
    assert lab.nodes == {"192.0.2.1": False, "192.0.2.2": True}
    assert lab.health == {"a": True}
    (cluster,) = lab.clusters
    (one,) = cluster.standings
    assert {cluster.node(one) for _ in range(20)} == {"192.0.2.2"}
    lab.statuses["192.0.2.2"] = "refused"
    lab.wait(1.2)
    assert lab.health == {"a": False}


def test_nodes_come_and_go_with_the_names_addresses() -> None:
    lab = Lab()
    lab.addresses["a.test"] = ["192.0.2.1", "192.0.2.2"]
    lab.statuses["192.0.2.1"] = "refused"
    lab.use(instance("a"))
    lab.wait(0.1)
    lab.addresses["a.test"] = ["192.0.2.1", "192.0.2.3"]
    lab.wait(LOOK_UP + 0.1)
    assert lab.nodes == {"192.0.2.1": False, "192.0.2.3": True}
    lab.probed()
    lab.wait(1.1)
    assert "192.0.2.2" not in lab.probed()


def test_a_name_that_cannot_be_looked_up_keeps_its_nodes() -> None:
    lab = Lab(instance("a"))
    lab.addresses["a.test"] = []
    lab.wait(LOOK_UP + 0.1)
    assert lab.nodes == {"192.0.2.1": True}


def test_an_unknown_target_is_healthy() -> None:
    lab = Lab()
    lab.addresses["a.test"] = []
    lab.use(instance("a"))
    lab.wait(1)
    assert lab.probed() == []
    assert lab.health == {"a": True}


@pytest.mark.parametrize(
    "fields",
    [
        {"endpoint": Endpoint("http", "192.0.2.9", 80)},
        {"proxy": "http://proxy.test:3128"},
    ],
)
def test_a_literal_and_a_name_behind_a_proxy_are_not_looked_up(
    fields: dict[str, Any],
) -> None:
    lab = Lab(instance("a", **fields))
    lab.wait(0.1)
    assert lab.looked_up == []
    assert lab.upstream.calls[0].outbound.origin.address is None
    assert len(lab.nodes) == 1


def test_no_more_probes_at_once_than_allowed() -> None:
    lab = Lab()
    lab.upstream.respond = None
    lab.addresses["a.test"] = [f"192.0.2.{last}" for last in range(1, 6)]
    lab.use(instance("a", ActiveCheck(concurrency=2)))
    assert len(lab.probed()) == 2
    lab.upstream.respond = lab._respond
    lab.wait(1.2)
    assert {f"192.0.2.{last}" for last in range(3, 6)} <= set(lab.probed())


# -- tcp


def test_a_tcp_check_only_connects() -> None:
    lab = Lab(instance("a", ActiveCheck(type="tcp", tcp_failures=1, timeout=0.5)))
    assert lab.upstream.calls == []
    host, port, factory, timeout, _ = lab.clock.tcpClients[0]
    assert (host, port, timeout) == ("192.0.2.1", 8443, 0.5)
    factory.clientConnectionFailed(None, _refused())
    assert lab.health == {"a": False}


def _refused() -> Any:
    from twisted.internet.error import ConnectionRefusedError
    from twisted.python.failure import Failure

    return Failure(ConnectionRefusedError())


# -- reload and end


def test_a_reload_that_changes_no_check_goes_on() -> None:
    lab = Lab(instance("a"))
    lab.statuses["192.0.2.1"] = "refused"
    lab.wait(0.1)
    lab.probed()
    lab.use(instance("a", weight=5), instance("b"))
    assert lab.health == {"a": False, "b": True}
    assert lab.probed() == ["192.0.2.1"]  # b's first


def test_a_changed_check_begins_anew() -> None:
    lab = Lab(instance("a"))
    lab.statuses["192.0.2.1"] = "refused"
    lab.wait(0.1)
    lab.use(instance("a", ActiveCheck(path="/other", tcp_failures=2)))
    assert lab.health == {"a": True}
    assert lab.upstream.last.outbound.target == b"/other"


def test_an_end_leaves_nothing_behind() -> None:
    lab = Lab(instance("a"), instance("b", ActiveCheck(type="tcp")))
    lab.statuses["192.0.2.1"] = None
    lab.prober.stop()
    lab.probed()
    lab.wait(5)
    assert lab.probed() == []
    lab.wheel.stop()
    assert [c for c in lab.clock.getDelayedCalls() if c.active()] == []


def test_what_one_prober_found_others_can_be_told() -> None:
    lab = Lab(instance("a"), instance("b", endpoint=Endpoint("http", "192.0.2.7", 80)))
    lab.statuses["192.0.2.7"] = "refused"
    lab.wait(0.1)
    other = Lab()
    other.clusters.use(
        [Route("many", ("/*",), (instance("a"), instance("b")), policy=Policy())]
    )
    other.clusters.heard(lab.clusters.health())
    assert other.health == {"a": True, "b": False}
