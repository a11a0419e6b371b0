"""
One request, straight down: from a front's downstream to exactly one record.

``Serve.__call__`` is the whole of it. Lower rooms return values or raise; a
GatewayError becomes the answer, the client's leaving cancels what is awaited, a bug
(ours, or of what third parties add) is logged and told as an internal error, and
whatever happens the record is written once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from aigw.dialects import Dialects
from aigw.errors import (
    BodyTooLarge,
    GatewayError,
    MethodNotAllowed,
    NotFound,
)
from aigw.http.refused import Refused
from aigw.interfaces import IDownstream, IProvider, IRecorder, IUpstream, IWheel
from aigw.model.headers import Headers, first
from aigw.model.outcome import Outcome
from aigw.model.path import own_path
from aigw.model.record import Record
from aigw.model.route import Route
from aigw.routing.clusters import Clusters
from aigw.routing.match import Match
from aigw.signing.signing import Signing

from . import origin
from .answer import Answers
from .catalogue import Catalogue
from .exchange import Exchange
from .health import health
from .identity import request_ids
from .models import Asked, asked_for, listed
from .tries import Tries
from .upload import Upload, is_absent, is_upload

log = Logger()


class Serve:
    """
    Serves requests, by the routes it was last told to use. Streams under way keep the
    configuration they began with.

    :ivar open: the exchanges under way.
    :ivar ready: False while the gateway drains; health says so.
    """

    def __init__(
        self,
        upstream: IUpstream,
        recorder: IRecorder,
        wheel: IWheel,
        answers: Answers,
        providers: Mapping[str, IProvider],
        time: Callable[[], float],
        signing: Signing,
        clusters: Clusters | None = None,
        dialects: Dialects | None = None,
    ) -> None:
        self.open: set[Exchange] = set()
        self.ready = True
        self._routes = Match(())
        self._recorder = recorder
        self._wheel = wheel
        self._dialects = dialects or Dialects()
        self._tries = Tries(
            upstream,
            wheel,
            answers,
            providers,
            signing,
            clusters or Clusters(),
            self._dialects,
        )
        self._catalogue = Catalogue(upstream, wheel, providers, signing)
        self._time = time
        self._new_id = request_ids()
        self._unknown = self._dialects.get("passthrough")

    def use(self, routes: Match) -> None:
        """Serve by other routes from now on."""
        self._routes = routes

    async def __call__(self, downstream: IDownstream) -> None:
        """Serve one request."""
        exchange = Exchange(
            downstream, self._unknown, self._new_id(), self._wheel, self._time()
        )
        self.open.add(exchange)
        try:
            if not self._healthy(exchange):
                route = await self._route(exchange)
                asked = None if route is None else _listing(exchange, route)
                if route is None:
                    pass  # a preflight, and answered
                elif asked is not None:
                    await self._list(exchange, route, asked)
                else:
                    await self._tries(exchange, route)
        except GatewayError as error:
            if not exchange.record.dialect:  # it was never understood
                exchange.dialect = self._dialects.by_path(exchange.envelope)
            exchange.refuse(error)
        except CancelledError:
            exchange.leave()
            raise
        except Exception:
            log.failure("An exchange failed.")
            exchange.fail(GatewayError("internal error", reason="internal"))
        finally:
            self.open.discard(exchange)
            try:
                exchange.close()
            finally:
                self._recorder.record(exchange.record)

    def refusal(self, error: GatewayError, path: str) -> tuple[int, Headers, bytes]:
        """The answer to a request that a front could not understand."""
        status, headers, body = self._unknown.problem(error, "")
        headers.append((b"content-length", b"%d" % len(body)))
        return status, headers, body

    def refused(self, request: Refused, error: GatewayError) -> None:
        """Record a request that a front could not understand, and has refused."""
        client_id = first(request.headers, b"x-request-id") or b""
        self._recorder.record(
            Record(
                time=self._time(),
                request_id=self._new_id(),
                client_request_id=client_id.decode("latin-1")[:128],
                method=request.method,
                path=request.path,
                host=request.host,
                peer=request.peer,
                status=request.status,
                sent=request.sent,
                outcome=Outcome.REFUSED,
                reason=error.reason or error.kind,
            )
        )

    def _healthy(self, exchange: Exchange) -> bool:
        """Whether this was a health check, and is answered."""
        if exchange.envelope.method not in ("GET", "HEAD"):
            return False
        told = health(exchange.envelope.path, self.ready)
        if told is None:
            return False
        status, body = told
        exchange.answer(status, [(b"content-type", b"application/json")], body)
        return True

    async def _list(self, exchange: Exchange, route: Route, asked: Asked) -> None:
        """Answer with the models that we know."""
        exchange.dialect = self._dialects.get(asked.dialect)
        names = route.models
        if route.lists_upstream:
            told = await exchange.wait(self._catalogue.names(route))
            names = tuple(told)
        body = listed(names, asked)
        exchange.answer(200, [(b"content-type", b"application/json")], body)

    async def _route(self, exchange: Exchange) -> Route | None:
        """
        The route of a request, its body read and understood; None where a preflight
        was answered.
        """
        envelope, peer = exchange.envelope, exchange.record.peer
        asked = origin.preflighted(envelope.method, envelope.headers)
        method = asked or envelope.method
        candidates = self._candidates(exchange, method)
        bodiless = asked is not None or is_absent(envelope, exchange.downstream.length)
        uploads = not bodiless and is_upload(envelope)
        unread = not (bodiless or uploads)
        for route in candidates:
            if route.reads_body and unread:
                # The most generous of them sets the limit.
                await self._read(exchange, max(one.max_body for one in candidates))
                unread = False
            if route.test is None or route.test(envelope, peer):
                break
        else:
            raise self._unmatched(exchange, candidates)
        exchange.record.route = route.id
        if route.strip_prefix:
            envelope.strip(own_path)
        exchange.extra = origin.admit(route, envelope.headers)
        if asked is not None:
            exchange.answer(204, origin.permit(envelope.headers), b"")
            return None
        if uploads:
            exchange.upload = _upload(exchange, route)
        elif unread:
            await self._read(exchange, route.max_body)
        elif len(envelope.body) > route.max_body:
            # It was read for several routes, and another of them takes more.
            raise BodyTooLarge(f"the request body is over {route.max_body} bytes")
        exchange.understand(self._dialects.detect(envelope))
        return route

    def _unmatched(
        self, exchange: Exchange, candidates: tuple[Route, ...]
    ) -> GatewayError:
        """Why no route took it; a model's name is told in the client's dialect."""
        envelope = exchange.envelope
        by_model = any(route.model for route in candidates)
        if by_model and envelope.model:
            envelope.strip(own_path)
            exchange.understand(self._dialects.detect(envelope))
            text = f"the model {envelope.model[:100]!r} does not exist"
            return NotFound(text, kind="model_not_found", reason="no_route")
        named = ": the request names no model" if by_model else ""
        text = f"no route for {envelope.path[:200]!r}{named}"
        return NotFound(text, reason="no_route")

    def _candidates(self, exchange: Exchange, method: str) -> tuple[Route, ...]:
        host, path = exchange.downstream.host, exchange.envelope.path
        try:
            return self._routes.candidates(method, host, path)
        except MethodNotAllowed:
            allowed = ", ".join(sorted(self._routes.methods(host, path)))
            exchange.extra = [(b"allow", allowed.encode("latin-1"))]
            raise

    async def _read(self, exchange: Exchange, limit: int) -> None:
        """Read the body, of at most ``limit`` bytes."""
        body = await exchange.downstream.read(limit)
        exchange.busy_since = self._wheel.seconds()
        exchange.record.received = len(body)
        exchange.envelope.open(body)


def _listing(exchange: Exchange, route: Route) -> Asked | None:
    """What is asked of the models that ``route`` knows; None where nothing is."""
    if route.models or route.lists_upstream:
        return asked_for(exchange.envelope)
    return None


def _upload(exchange: Exchange, route: Route) -> Upload:
    """:raises BodyTooLarge: more bytes are announced than ``route`` takes."""
    return Upload(
        exchange.downstream.source(),
        route.max_upload,
        exchange.record,
        exchange.expire,
        exchange.client_gone,
    )
