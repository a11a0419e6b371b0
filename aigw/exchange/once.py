"""One instance, asked once: the whole of a route without a policy."""

from __future__ import annotations

from twisted.internet.defer import CancelledError

from aigw.errors import GatewayError
from aigw.model.instance import Instance
from aigw.model.outcome import Outcome

from . import ends
from .answer import Answers
from .asking import Asking
from .exchange import Exchange


class Once:
    """Asks an instance, and relays its answer, whatever it is."""

    def __init__(self, asking: Asking, answers: Answers) -> None:
        self._asking = asking
        self._answers = answers

    async def __call__(self, exchange: Exchange, instance: Instance) -> None:
        """:raises GatewayError: there is no answer; what the client is told instead."""
        attempt = await self._asking.send(exchange, instance)
        try:
            answer = await attempt.answer
            if answer[0] >= 400 and attempt.conversion is not None:
                raise await self._asking.problem(exchange, attempt, answer)
            relay = self._answers.relay(exchange, attempt, *answer)
            exchange.settle()
            del answer  # its fields have crossed, and its body may take minutes
            ending = await relay.done
        except GatewayError as error:
            attempt.stop()
            attempt.broke(error)
            raise
        except CancelledError:
            attempt.close(Outcome.CLIENT_GONE)
            raise
        ends.close(exchange, attempt, ending)
