"""A call for embeddings, as a prediction of Vertex AI."""

from __future__ import annotations

from dataclasses import dataclass

from aigw import dialects
from aigw.dialects import vertex_predict
from aigw.errors import AnsweredError
from aigw.interfaces import IDialect, ITap
from aigw.interfaces.chat import IChatDialect
from aigw.model.envelope import Envelope
from aigw.model.event import Failed
from aigw.model.headers import Headers
from aigw.model.rendered import Rendered
from aigw.streaming.ending import error_of
from aigw.streaming.held import Held
from aigw.streaming.way import Way

from .translation import Answered


class Vectors(Held):
    """A prediction on its way to who asked for embeddings."""

    def __init__(self, asked: Envelope, tap: ITap) -> None:
        super().__init__(tap)
        self._asked = asked

    def rewritten(self, body: bytes) -> bytes | Failed:
        return vertex_predict.answer(self._asked, body)


@dataclass(frozen=True, slots=True)
class Embedding:
    """
    A :class:`aigw.exchange.translation.Translation`.

    :ivar client: the client's dialect.
    :ivar asked: the request as it came.
    :ivar rendered: the prediction asked for.
    """

    client: IDialect
    asked: Envelope
    rendered: Rendered

    def envelope(self, envelope: Envelope, path: str) -> Envelope:
        target = path.encode("ascii")
        sent = Envelope("POST", path, target, b"", envelope.headers)
        sent.open(self.rendered.body)
        return sent

    def problem(self, status: int, headers: Headers, body: bytes) -> AnsweredError:
        google = IChatDialect(dialects.get("gemini")).reader(self.rendered)
        return error_of(google.problem(status, headers, body), "provider_error")

    def way(self, answered: Answered) -> Way:
        answered.whole()
        return Vectors(self.asked, self.client.tap(answered.collect))


def embed(client: IDialect, asked: Envelope) -> Embedding:
    """
    Say ``asked`` as a prediction.

    :raises BadRequest: its input is none that can be embedded.
    """
    body, dropped = vertex_predict.request(asked)
    return Embedding(client, asked, Rendered(body, asked.model, dropped=dropped))
