"""The client's side of an exchange, as the exchange sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from twisted.internet.interfaces import IPushProducer
from zope.interface import Attribute, Interface

from aigw.model.headers import Headers


class IBodySource(Interface):
    """
    A request body that is relayed instead of held: an upload. Lives as long as its
    request; read once, never replayed.

    :meth:`start` once; then ``write`` of the consumer is called for each piece until
    ``finish``; pause and resume may be called at any time between.
    """

    length: int | None = Attribute("Bytes Content-Length announced; None if chunked.")

    def start(
        write: Callable[[bytes], None],
        finish: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Begin. At the end either ``finish`` or ``failed`` is called, once."""

    def pause() -> None:
        """Stop reading from the client."""

    def resume() -> None:
        """Go on reading."""

    def stop() -> None:
        """Discard the rest. Idempotent; neither ``finish`` nor ``failed`` follows."""


class IDownstream(Interface):
    """
    One request of a client and the way to answer it; provided by the two fronts.
    Lives as long as the exchange.

    Order of calls: ``read`` or ``source`` at most once, before ``start``; ``register``
    before the first ``write``; ``start`` once, then ``write`` any number of times, then
    exactly one of ``finish``, ``cut`` and ``abort``. After the client has gone every
    call is accepted and does nothing.
    """

    method: str = Attribute("The HTTP method, upper case as received.")
    target: bytes = Attribute("Path and query as received (origin form).")
    path: str = Attribute(
        "The path, percent-decoded once as UTF-8; the front refuses what cannot be."
    )
    query: bytes = Attribute("The raw query without ``?``; empty where there is none.")
    headers: Headers = Attribute(
        "The request's header fields; a front may let go of them at ``start``."
    )
    host: str = Attribute("The Host field's host, lower case, without port; or ''.")
    scheme: str = Attribute("``http`` or ``https``, as the client reached this front.")
    peer: str = Attribute("The client's address without port; ``unix`` for such.")
    length: int | None = Attribute(
        "The body's announced length in bytes, 0 without a body, None if chunked."
    )
    lost: bool = Attribute("Whether the client has gone.")
    on_lost: Callable[[], None] | None = Attribute(
        "Set by the exchange; called once, when the client goes before the answer's "
        "end was handed to the transport. Not called if it had gone before."
    )

    def read(limit: int) -> Awaitable[bytes]:
        """
        The whole request body.

        :param limit: the most bytes accepted; an announced length over it is refused
            before anything is read, and ``100 Continue`` is then not sent.
        :raises BodyTooLarge: over ``limit``; the front closes the connection after the
            answer.
        :raises BadRequest: the body's framing is malformed.
        :raises CancelledError: the client left before the body was complete.
        """

    def source() -> IBodySource:
        """The body as a source, for uploads."""

    def start(status: int, headers: Headers) -> None:
        """
        Send status and headers; a front may keep them for the first piece of the body,
        a tick of the wheel at most. With a ``content-length`` among them the body must
        have that length; else the front frames it (chunked, or by closing for
        HTTP/1.0). The front adds ``date``; hop-by-hop fields are its own business.
        """

    def write(data: bytes) -> None:
        """Send a piece of the body. May call ``pauseProducing`` before it returns."""

    def finish() -> None:
        """The answer is complete."""

    def cut() -> None:
        """
        Send what is queued, then end so that the answer cannot look complete: the
        connection is closed without the closing chunk, or reset where a plain close
        would mean success.
        """

    def abort() -> None:
        """Drop the connection now; what is queued is lost."""

    def register(producer: IPushProducer) -> None:
        """
        Let the front pause and resume ``producer`` as the client reads. It starts
        unpaused; if the transport is full already it is paused at once.
        ``stopProducing`` of it is an early hint that the client is gone; ``on_lost`` is
        the authority.
        """

    def unregister() -> None:
        """The producer will write no more. Idempotent."""
