"""Balancers: which of several instances is asked. Pure; time is an argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from aigw.interfaces.balancer import IBalancer

from .chash import ConsistentHash
from .ewma import Ewma
from .least_conn import LeastConn
from .roundrobin import RoundRobin
from .semantic import Unranked

#: Makes a balancer, given a source of random numbers from 0 up to 1.
Make = Callable[[Callable[[], float]], IBalancer]

#: The balancers there are, by the name configuration uses.
BUILT_IN: Final[Mapping[str, Make]] = {
    "chash": lambda random: ConsistentHash(),
    "ewma": Ewma,
    "least_conn": lambda random: LeastConn(),
    "roundrobin": lambda random: RoundRobin(),
    "semantic": lambda random: Unranked(),
}
