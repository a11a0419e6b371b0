"""The provider's side of an attempt, as the exchange sees it."""

from __future__ import annotations

from zope.interface import Attribute, Interface

from aigw.errors import UpstreamError
from aigw.model.headers import Headers
from aigw.model.outbound import Outbound

from .downstream import IBodySource


class IReceiver(Interface):
    """
    Who receives an answer. Lives as long as the attempt.

    Called as ``head`` once, ``body`` any number of times, then ``ended`` once; or
    ``failed`` once at any point instead. Nothing follows ``stop`` of the call. Never
    called from inside ``IUpstream.send``.
    :class:`aigw.testing.upstream.MemoryReceiver` refuses any other order.
    """

    def head(status: int, headers: Headers) -> None:
        """Status and header fields have arrived (1xx are skipped)."""

    def body(data: bytes) -> None:
        """A piece of the body, transfer coding removed, never empty."""

    def ended() -> None:
        """The answer is complete as HTTP understands it."""

    def failed(error: UpstreamError) -> None:
        """No connection, a broken answer, or a deadline; see ``error.reason``."""


class IUpstreamCall(Interface):
    """One request under way, as long as the attempt. All methods are idempotent."""

    address: str = Attribute("``host:port``; the peer's address once connected.")
    reused: bool = Attribute("Whether a pooled connection serves it.")
    connected_at: float | None = Attribute("Clock seconds when the connection stood.")
    sent_at: float | None = Attribute(
        "Clock seconds when the transport had taken the whole request."
    )

    def pause() -> None:
        """Read no more from the provider; its read timeout stands still."""

    def resume() -> None:
        """Go on reading."""

    def stop() -> None:
        """
        Give up: the connection is closed at once, whatever its state. Nothing more is
        delivered. After ``ended`` it does nothing.
        """


class IUpstream(Interface):
    """All connections to providers; one for the process."""

    def send(
        outbound: Outbound, receiver: IReceiver, upload: IBodySource | None = None
    ) -> IUpstreamCall:
        """
        Send a request on a pooled or new connection.

        Never raises for network reasons: those go to ``receiver.failed``.

        :param upload: sent in place of the outbound's body, as it comes, with its
            length or else chunked. It is started when a connection stands, so that
            ``failed`` before that leaves it to another attempt; it is stopped with the
            call, and when the provider's answer ends before it. While the provider
            takes nothing it is paused, and ``Patience.send`` runs; while the client
            sends nothing no deadline runs here.

        :raises BadRequest: method, target or a field cannot be carried by HTTP, or is
            one the connection writes itself; nothing was begun.
        :raises ConnectFailed: the origin's host or proxy is none; nothing was begun.
        """
