"""From a route to an answer: how its instances are asked."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any

from aigw.dialects import Dialects
from aigw.interfaces import IProvider, IUpstream, IWheel
from aigw.model.route import Route
from aigw.routing.clusters import Clusters
from aigw.signing.signing import Signing

from .answer import Answers
from .asking import Asking
from .exchange import Exchange
from .once import Once
from .one_of import OneOf
from .ranking import Rankings
from .resume import Resume
from .several import Several


class Tries:
    """
    Called once for each exchange that is relayed. A route without a policy is asked
    once; where there is one, it says what follows a failure. Once content was relayed
    nothing is tried again.
    """

    def __init__(
        self,
        upstream: IUpstream,
        wheel: IWheel,
        answers: Answers,
        providers: Mapping[str, IProvider],
        signing: Signing,
        clusters: Clusters,
        dialects: Dialects,
    ) -> None:
        asking = Asking(upstream, wheel, answers, providers, signing, dialects)
        one_of = OneOf(asking, answers, wheel)
        self._clusters = clusters
        self._once = Once(asking, answers)
        resume = Resume(asking, answers, wheel)
        rankings = Rankings(upstream, wheel)
        self._several = Several(asking, one_of, resume, rankings, wheel)

    def __call__(self, exchange: Exchange, route: Route) -> Coroutine[Any, Any, None]:
        """
        Ask the route's instances, and relay the answer. The coroutine is that of
        whoever does it: one of our own would be woken with it each time.

        :raises GatewayError: there is none; what the client is told instead.
        """
        if route.policy is None:
            return self._once(exchange, route.instances[0])
        return self._several(exchange, self._clusters.of(route))
