"""A converted stream that another attempt may go on with where it breaks."""

from __future__ import annotations

from typing import Final

from aigw.interfaces import IFraming, IReader, IWriter
from aigw.model import sight as sights
from aigw.model.event import Event, Failed
from aigw.model.usage import Usage

from .convert import Converted
from .draft import Draft, Joint

#: What marks the place where another attempt goes on, where the framing has comments.
SEAM: Final = b": continued\n\n"


class Continued(Converted):
    """
    As :class:`Converted`, but what makes it fail is not told at once: either
    :meth:`go_on` gives it another attempt's answer to read, or :meth:`tell` ends it.
    One writer writes it all, so it stays one answer.

    :ivar draft: what was written.
    """

    def __init__(
        self,
        source: IFraming,
        reader: IReader,
        writer: IWriter,
        target: IFraming,
        *,
        limit: int | None = None,
        collect: bool = False,
    ) -> None:
        super().__init__(source, reader, writer, target, limit=limit, collect=collect)
        self.draft = Draft()
        self._joint: Joint | None = None
        self._seam = b""
        self._comments = target.name == "sse"

    @property
    def used(self) -> Usage | None:
        """What the attempt that is read now used, as far as it was told."""
        return self.draft.usage if self._joint is None else self._joint.usage

    def go_on(self, source: IFraming, reader: IReader, limit: int | None) -> None:
        """Read another attempt's answer from here on; the arguments are as above."""
        self._joint = Joint(self.draft)
        self._decoder = source.decoder(limit)
        self._reader = reader
        self._over = False
        self.failed = None
        self.damaged = True  # what the broken attempt used at last is not known
        self._seam = SEAM if self._comments else b""

    def tell(self) -> bytes:
        """What tells the client of the failure that nobody goes on from."""
        out: list[bytes] = []
        if self.failed is not None:
            self._over = False
            super()._write(self.failed, out)
        return b"".join(out)

    def feed(self, data: bytes) -> bytes:
        return self._marked(super().feed(data))

    def end(self) -> bytes:
        return self._marked(super().end())

    def _marked(self, out: bytes) -> bytes:
        if self._seam and out:
            out, self._seam = self._seam + out, b""
        return out

    def _write(self, event: Event, out: list[bytes]) -> None:
        if self._over:
            return
        if isinstance(event, Failed):
            self.failed = event
            self.sight |= sights.ERROR
            self._over = True
        elif self._joint is None:
            self.draft.see(event)
            super()._write(event, out)
        else:
            self.sight |= sights.PROGRESS
            for fitting in self._joint.fit(event):
                self.draft.see(fitting)
                super()._write(fitting, out)
