"""A conversion whose stream another attempt may go on with where it breaks."""

from __future__ import annotations

from dataclasses import dataclass

from aigw.interfaces import IReader
from aigw.streaming.continued import Continued
from aigw.streaming.way import Way

from .conversion import Conversion
from .translation import Answered


@dataclass(frozen=True, slots=True)
class Continuing(Conversion):
    """As :class:`Conversion`, also where client and provider speak the same dialect."""

    def reader(self) -> IReader:
        """A reader of the provider's answer."""
        return self.target.reader(self.rendered)

    def way(self, answered: Answered) -> Way:
        source, wanted = answered.source, answered.wanted
        if source is None or wanted is None:
            return Conversion.way(self, answered)
        return Continued(
            source,
            self.reader(),
            self.client.writer(self.call, answered.now, answered.request_id),
            wanted,
            limit=answered.limit,
            collect=answered.collect,
        )


def continuing(converted: Conversion) -> Continuing:
    """``converted``, to be gone on with."""
    client, target = converted.client, converted.target
    return Continuing(client, target, converted.call, converted.rendered)
