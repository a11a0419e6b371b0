"""
Request bodies that are relayed as they come: files, audio, pictures, whatever is no
JSON. They are never held whole, so nothing looks into them, and once one has begun to
leave no other attempt can follow.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from zope.interface import implementer

from aigw.errors import BadRequest, BodyTooLarge, GatewayError
from aigw.interfaces import IBodySource
from aigw.model.envelope import Envelope
from aigw.model.headers import media_type
from aigw.model.record import Record

#: Where the body is a call that the gateway reads. Anything but JSON is a mistake
#: there, and better told than relayed.
_CALLS: Final = re.compile(
    r"/(?:chat/completions|responses|embeddings|messages(?:/count_tokens)?"
    r"|converse(?:-stream)?|invoke(?:-with-response-stream)?"
    r"|[^/]+:(?:generateContent|streamGenerateContent|countTokens|predict|rawPredict"
    r"|streamRawPredict|embedContent|batchEmbedContents))/?\Z"
)
#: Methods whose requests may come without a body (RFC 9110, section 9.3).
_BODYLESS: Final = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})


def is_absent(envelope: Envelope, length: int | None) -> bool:
    """
    Whether a request has no body, and may be without: a batch is cancelled by a POST of
    nothing.

    :param length: as :attr:`aigw.interfaces.IDownstream.length`.
    """
    if length != 0:
        return False
    return envelope.method in _BODYLESS or not _CALLS.search(envelope.path)


def is_upload(envelope: Envelope) -> bool:
    """
    Whether a request's body is to be relayed as it comes; else it is read as JSON.

    :raises BadRequest: it is not JSON where only that is understood.
    """
    kind = media_type(envelope.headers)
    if kind in ("", "application/json"):
        return False
    if _CALLS.search(envelope.path):
        raise BadRequest(
            f"unsupported content-type: {kind[:100]}, "
            "only application/json is supported"
        )
    return True


@implementer(IBodySource)
class Upload:
    """
    A front's source, its bytes counted and bounded. What ends it too early ends the
    exchange: whoever takes it need not know why.

    :ivar length: bytes announced, None where it is chunked.
    :ivar begun: whether it has begun to leave, and cannot be sent again.
    :ivar ended: called when all of it has been handed over; the attempt sets it.
    """

    def __init__(
        self,
        source: IBodySource,
        limit: int,
        record: Record,
        expire: Callable[[GatewayError], None],
        gone: Callable[[], None],
    ) -> None:
        """
        :param limit: the most bytes.
        :param record: told how many bytes came.
        :param expire: called where the client's bytes are at fault.
        :param gone: called when the client has gone.
        :raises BodyTooLarge: it is announced to be over ``limit``.
        """
        self.length = source.length
        self.begun = False
        self.ended: Callable[[], None] | None = None
        self._source = source
        self._limit = limit
        self._room = limit
        self._record = record
        self._expire = expire
        self._gone = gone
        self._write: Callable[[bytes], None] | None = None
        self._finish: Callable[[], None] | None = None
        self._failed: Callable[[Exception], None] | None = None
        if source.length is not None and source.length > limit:
            raise self._too_large()

    # -- the taker's side

    def start(
        self,
        write: Callable[[bytes], None],
        finish: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        assert not self.begun, "an upload is sent once"
        self.begun = True
        self._write, self._finish, self._failed = write, finish, failed
        self._source.start(self._arrived, self._complete, self._broke)

    def pause(self) -> None:
        self._source.pause()

    def resume(self) -> None:
        self._source.resume()

    def stop(self) -> None:
        """Idempotent. Before ``start`` it is left to whoever may take it next."""
        if self.begun:
            self._let_go()
            self._source.stop()

    # -- the source's side

    def _arrived(self, data: bytes) -> None:
        size = len(data)
        self._record.received += size
        self._room -= size
        if self._room < 0:
            self._source.stop()
            self._broke(self._too_large())
        elif self._write is not None:
            self._write(data)

    def _complete(self) -> None:
        finish, ended = self._finish, self.ended
        self._let_go()
        if finish is not None:
            finish()
            if ended is not None:
                ended()

    def _broke(self, error: Exception) -> None:
        failed = self._failed
        self._let_go()
        # First the exchange: it stops the call, and the error is then its own and not
        # one of the provider's.
        if isinstance(error, GatewayError):
            self._expire(error)
        else:
            self._gone()
        if failed is not None:
            failed(error)

    def _let_go(self) -> None:
        self._write = self._finish = self._failed = self.ended = None

    def _too_large(self) -> GatewayError:
        return BodyTooLarge(f"the request body is over {self._limit} bytes")
