"""Bodies that are relayed as they come: what follows a failure, and their bounds."""

from __future__ import annotations

from io import BytesIO

import pytest

from aigw.errors import BodyTooLarge, ConnectFailed, GatewayError
from aigw.exchange.upload import Upload
from aigw.http.held import HeldBody
from aigw.model.headers import Headers
from aigw.model.instance import Deadlines, Endpoint, Instance
from aigw.model.outcome import Outcome
from aigw.model.policy import Hedge, Policy
from aigw.model.record import Record
from aigw.model.route import Route
from aigw.testing.body_source import check_body_source
from aigw.testing.downstream import MemoryDownstream

from .site import Site

FORM: Headers = [(b"content-type", b"multipart/form-data; boundary=x")]
BODY = bytes(range(256)) * 1000


def upload(place: Site, body: bytes = BODY) -> MemoryDownstream:
    return place.ask(body, target=b"/v1/files", headers=FORM)


def several(**policy: object) -> Site:
    names = ("one", "two")
    instances = tuple(
        Instance(name, "openai-compatible", Endpoint("http", f"{name}.test", 80))
        for name in names
    )
    made = Policy(statuses=frozenset({429, *range(500, 600)}), **policy)  # type: ignore[arg-type]  # by name
    return Site(Route("files", ("/v1/*",), instances, policy=made, retries=True))


class Rig:
    """A source as the exchange gives it to a connection."""

    def __init__(self, body: bytes) -> None:
        held = HeldBody(BytesIO(body), len(body))
        self.record = Record(0.0, "", "", "POST", "/", "", "")
        self.errors: list[object] = []
        self.source = Upload(
            held,
            1 << 30,
            self.record,
            self.errors.append,
            lambda: self.errors.append("gone"),
        )

    def settle(self) -> None:
        """Nothing takes time here."""


def test_it_keeps_the_promises_of_a_source() -> None:
    check_body_source(Rig)


def test_what_is_sent_is_what_came_and_is_counted() -> None:
    place = Site()
    client = upload(place)
    call = place.call
    assert call.outbound.body == b""
    assert call.upload is not None
    assert call.upload.length == len(BODY)
    assert (b"content-type", FORM[0][1]) in call.outbound.headers
    call.take()
    assert b"".join(call.taken) == BODY
    assert call.took == "finish"
    call.answer(200, [(b"content-type", b"audio/mpeg")], b"\xff\x00")
    assert (client.status, client.written) == (200, b"\xff\x00")
    record = place.record
    assert (record.received, record.sent) == (len(BODY), 2)
    assert (record.outcome, record.dialect) == (Outcome.COMPLETED, "passthrough")


@pytest.mark.parametrize(
    "target",
    [
        b"/v1/chat/completions",
        b"/v1/messages",
        b"/v1/messages/",
        b"/v1/responses",
        b"/v1/embeddings",
        b"/v1/messages/count_tokens",
        b"/v1/models/m:generateContent",
    ],
)
@pytest.mark.parametrize("kind", [b"text/plain", b"application/x-www-form-urlencoded"])
def test_what_is_no_json_where_a_call_is_expected_is_refused(
    target: bytes, kind: bytes
) -> None:
    place = Site()
    client = place.ask(b"x=1", target=target, headers=[(b"content-type", kind)])
    assert client.status == 400
    assert b"only application/json is supported" in client.written
    assert not place.upstream.calls


def test_nothing_is_posted_as_nothing() -> None:
    place = Site()
    headers = [(b"content-type", b"application/json")]
    place.ask(b"", target=b"/v1/batches/b/cancel", headers=headers)
    assert place.call.outbound.method == "POST"
    assert (place.call.outbound.body, place.call.upload) == (b"", None)


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_what_has_no_body_is_relayed_whatever_type_it_tells(method: str) -> None:
    place = Site()
    place.ask(b"", method=method, target=b"/v1/files/f", headers=FORM)
    assert (place.call.outbound.method, place.call.upload) == (method, None)


def test_an_announced_length_over_the_limit_is_refused_at_once() -> None:
    place = Site(max_upload=len(BODY) - 1)
    assert upload(place).status == 413
    assert not place.upstream.calls
    assert place.record.outcome is Outcome.REFUSED


def test_the_limit_of_bodies_in_memory_is_another() -> None:
    place = Site(max_body=1)
    upload(place)
    place.call.take()
    assert b"".join(place.call.taken) == BODY


def test_a_body_of_unknown_length_is_cut_at_its_limit() -> None:
    errors: list[GatewayError] = []
    record = Record(0.0, "", "", "POST", "/", "", "")
    held = HeldBody(BytesIO(BODY), None)
    source = Upload(held, 70_000, record, errors.append, lambda: None)
    taken: list[bytes] = []
    failed: list[Exception] = []
    source.start(taken.append, lambda: failed.append(ValueError()), failed.append)
    assert sum(map(len, taken)) <= 70_000
    assert errors == failed
    assert isinstance(errors[0], BodyTooLarge)


def test_before_it_has_begun_another_instance_can_take_it() -> None:
    place = several()
    client = upload(place)
    place.call.failed(ConnectFailed("nobody there", reason="connect"))
    assert len(place.upstream.calls) == 2
    place.call.take()
    assert b"".join(place.call.taken) == BODY
    place.call.answer(200, [], b"ok")
    assert client.written == b"ok"


def test_once_it_has_begun_no_other_is_asked() -> None:
    place = several()
    client = upload(place)
    place.call.take()
    place.call.failed()
    assert len(place.upstream.calls) == 1
    assert client.status == 502
    assert place.record.outcome is Outcome.BROKEN


def test_once_it_has_begun_an_error_is_told_as_it_is() -> None:
    place = several()
    client = upload(place)
    place.call.take()
    place.call.answer(503, [(b"content-type", b"text/plain")], b"busy")
    assert (client.status, client.written) == (503, b"busy")
    assert len(place.upstream.calls) == 1


def test_it_is_never_sent_twice_at_a_time() -> None:
    place = several(hedge=Hedge(delay=0.1, max=1))
    upload(place)
    place.wait(1)
    assert len(place.upstream.calls) == 1


def test_what_cannot_be_signed_is_refused() -> None:
    place = Site(auth={"aws": {"access_key_id": "k", "secret_access_key": "s"}})
    client = upload(place)
    assert client.status == 400
    assert b"cannot be signed" in client.written


def test_the_first_byte_is_awaited_when_the_last_was_sent() -> None:
    place = Site(deadlines=Deadlines(first_byte=1))
    client = upload(place)
    place.wait(5)
    assert client.status is None
    place.call.take()
    place.wait(0.5)
    assert client.status is None
    place.wait(0.6)
    assert client.status == 504


def test_a_client_that_leaves_leaves_nothing() -> None:
    place = Site()
    client = upload(place)
    client.leave()
    assert place.call.stopped
    assert place.record.outcome is Outcome.CLIENT_GONE
