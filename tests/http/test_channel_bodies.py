"""Request bodies on the daemon's own front: read, refused, relayed, thrown away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from aigw.errors import BadRequest, BodyTooLarge, Unavailable
from aigw.http.budget import Budget
from aigw.http.limits import Limits
from aigw.interfaces import IBodySource, IDownstream
from tests.fronts.bench import Bench, result, started
from tests.holding import holds

LIMITS = Limits()
MOST = 1 << 30


@pytest.fixture
def front() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def post(
    front: Bench, length: int | None, *fields: bytes, body: bytes = b""
) -> IDownstream:
    """Send a request whose body is of ``length``, of which only ``body`` has come."""
    framing = (
        b"Transfer-Encoding: chunked"
        if length is None
        else b"Content-Length: %d" % length
    )
    head = [b"POST / HTTP/1.1", b"Host: a", framing, *fields, b"", body]
    front.send(b"\r\n".join(head))
    return front.served[-1]


def ended_with(results: list[Any], kind: type[Exception]) -> Any:
    (failure,) = results
    assert isinstance(failure, Failure)
    assert failure.check(kind), failure
    return failure.value


def answered(front: Bench, status: int = 200) -> None:
    downstream = front.served[-1]
    downstream.start(status, [(b"content-length", b"0")])
    downstream.finish()
    front.settle()


def still_serves(front: Bench) -> bool:
    before = len(front.served)
    front.send(b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
    return len(front.served) > before and front.served[-1].path == "/next"


# -- reading


def test_a_body_is_read_in_pieces(front: Bench) -> None:
    read = started(post(front, 6, body=b"ab").read(6))
    front.send(b"cd")
    assert read == []
    front.send(b"ef")
    assert read == [b"abcdef"]


def test_a_body_is_read_byte_by_byte_in_any_coding(front: Bench) -> None:
    read = started(post(front, None).read(13))
    for byte in b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nX: y\r\n\r\n":
        assert read == []
        front.wire.arrive(bytes([byte]))
    assert read == [b"abc0123456789"]


def test_a_large_body_of_small_pieces_is_the_same_body(front: Bench) -> None:
    body = bytes(range(256)) * 400
    read = started(post(front, len(body)).read(MOST))
    at = 0
    for size in (1, 1, 3000, 7, 50_000, 1, 1, 1, 4096, 60_000):
        front.wire.arrive(body[at : at + size])
        at += size
    assert read == [body]


def test_what_stands_behind_the_body_is_the_next_request(front: Bench) -> None:
    read = started(post(front, 6, body=b"abc").read(6))
    front.send(b"defGET /next HTTP/1.1\r\nHost: a\r\n\r\n")
    assert read == [b"abcdef"]
    assert len(front.served) == 1
    answered(front)
    assert front.served[1].path == "/next"


def test_the_client_leaves_before_its_body_is_complete(front: Bench) -> None:
    downstream = post(front, 6, body=b"abc")
    lost: list[int] = []
    downstream.on_lost = lambda: lost.append(1)
    read = started(downstream.read(6))
    front.wire.leave()
    ended_with(read, CancelledError)
    assert lost == [1]
    assert front.front.budget.held == 0


def test_a_read_may_be_cancelled(front: Bench) -> None:
    downstream = post(front, 6, body=b"abc")

    async def read() -> None:
        await downstream.read(6)

    reading = Deferred.fromCoroutine(read())
    results: list[Any] = []
    reading.addBoth(results.append)
    reading.cancel()
    ended_with(results, CancelledError)
    answered(front, 503)
    front.send(b"def")
    assert still_serves(front)


def test_an_answer_given_while_the_body_is_read_ends_the_reading(front: Bench) -> None:
    read = started(post(front, 6, body=b"abc").read(6))
    answered(front, 503)
    ended_with(read, CancelledError)


def test_a_body_is_read_once(front: Bench) -> None:
    downstream = post(front, 6, body=b"abc")
    started(downstream.read(6))
    ended_with(started(downstream.read(6)), RuntimeError)


# -- too large


def test_an_announced_length_over_the_limit_is_refused_unread(front: Bench) -> None:
    read = started(post(front, 7).read(6))
    ended_with(read, BodyTooLarge)
    answered(front, 413)
    assert front.answer()[1][b"connection"] == b"close"
    front.send(b"1234567")
    assert front.wire.ended == "half"
    assert len(front.served) == 1


def test_a_growing_body_is_refused_at_the_limit(front: Bench) -> None:
    read = started(post(front, None).read(6))
    front.send(b"4\r\nabcd\r\n")
    assert read == []
    front.send(b"4\r\nefgh\r\n")
    ended_with(read, BodyTooLarge)
    answered(front, 413)
    assert front.answer()[1][b"connection"] == b"close"
    assert front.front.budget.held == 0


def test_a_body_that_came_with_its_head_can_be_too_large_too(front: Bench) -> None:
    read = started(post(front, 6, body=b"abcdef").read(5))
    ended_with(read, BodyTooLarge)
    answered(front, 413)
    assert front.answer()[1][b"connection"] == b"close"


def test_a_client_that_keeps_sending_what_was_refused_gets_its_answer(
    front: Bench,
) -> None:
    started(post(front, MOST + 1).read(MOST))
    answered(front, 413)
    for _ in range(100):
        front.wire.arrive(b"x" * 65536)
    assert front.received().startswith(b"HTTP/1.1 413 ")
    assert front.wire.ended == "half"
    front.wire.leave()
    assert front.wire.gone


# -- malformed


def test_a_malformed_chunk_ends_the_reading_and_the_connection(front: Bench) -> None:
    read = started(post(front, None).read(6))
    front.send(b"x\r\n")
    ended_with(read, BadRequest)
    answered(front, 400)
    assert front.answer()[1][b"connection"] == b"close"
    assert not still_serves(front)


def test_a_malformed_chunk_is_told_to_who_reads_later(front: Bench) -> None:
    downstream = post(front, None, body=b"x\r\n")
    ended_with(started(downstream.read(6)), BadRequest)


# -- Expect


def test_100_continue_is_sent_when_the_body_is_read(front: Bench) -> None:
    downstream = post(front, 3, b"Expect: 100-continue")
    assert front.received() == b""
    read = started(downstream.read(3))
    assert front.received() == b"HTTP/1.1 100 Continue\r\n\r\n"
    front.send(b"abc")
    assert read == [b"abc"]
    answered(front)
    assert still_serves(front)


def test_100_continue_is_not_sent_to_who_does_not_wait_for_it(front: Bench) -> None:
    started(post(front, 3, b"Expect: 100-continue", body=b"a").read(3))
    assert front.received() == b""


def test_100_continue_is_not_sent_when_the_length_is_refused(front: Bench) -> None:
    started(post(front, 7, b"Expect: 100-continue").read(6))
    answered(front, 413)
    line, fields, _ = front.answer()
    assert line.startswith(b"HTTP/1.1 413 ")
    assert fields[b"connection"] == b"close"


def test_an_answer_instead_of_100_continue_ends_the_connection(front: Bench) -> None:
    post(front, 3, b"Expect: 100-continue")
    answered(front, 404)
    assert front.answer()[1][b"connection"] == b"close"
    assert front.wire.ended == "half"


# -- nobody reads


def test_an_early_answer_keeps_the_connection_if_the_rest_is_short(
    front: Bench,
) -> None:
    post(front, 50_000, body=b"x" * 1000)
    answered(front, 404)
    assert b"connection" not in front.answer()[1]
    assert len(front.served) == 1
    front.send(b"x" * 49_000)
    assert still_serves(front)


def test_an_early_answer_closes_the_connection_if_the_rest_is_long(
    front: Bench,
) -> None:
    post(front, 200_000, body=b"x" * 1000)
    answered(front, 404)
    assert front.answer()[1][b"connection"] == b"close"
    assert front.wire.ended == "half"


def test_an_early_answer_to_a_chunked_body_keeps_the_connection_for_a_while(
    front: Bench,
) -> None:
    post(front, None)
    answered(front, 404)
    front.send(b"5\r\nabcde\r\n0\r\n\r\n")
    assert still_serves(front)
    answered(front)
    post(front, None)
    answered(front, 404)
    front.send(b"20000\r\n" + b"x" * 70_000)
    assert front.wire.ended == "half"


def test_the_rest_of_a_body_must_come_soon(front: Bench) -> None:
    post(front, 10)
    answered(front, 404)
    front.pass_time(LIMITS.leftover_timeout + 1)
    assert front.wire.ended == "half"


def test_what_stands_behind_a_leftover_is_no_part_of_it(front: Bench) -> None:
    post(front, 5, body=b"a")
    answered(front)
    body = b"x" * (LIMITS.leftover + 1)
    head = b"POST /next HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body)
    front.send(b"bcde" + head + body)
    assert [request.path for request in front.served] == ["/", "/next"]
    answered(front)
    assert still_serves(front)


def test_malformed_leftovers_end_the_connection(front: Bench) -> None:
    post(front, None)
    answered(front, 404)
    front.send(b"x\r\n")
    assert front.wire.ended == "half"


def test_a_body_nobody_has_asked_for_is_held_back(front: Bench) -> None:
    downstream = post(front, 1_000_000)
    front.send(b"x" * 65_536)
    assert front.wire.reading
    front.send(b"x" * 65_536)
    assert not front.wire.reading
    read = started(downstream.read(MOST))
    assert front.wire.reading
    front.send(b"x" * (1_000_000 - 2 * 65_536))
    assert read == [b"x" * 1_000_000]


def test_a_body_that_the_answer_forsakes_is_read_on(front: Bench) -> None:
    downstream = post(front, 1_000_000)
    front.send(b"x" * 70_000)
    assert not front.wire.reading
    downstream.start(200, [])
    assert front.wire.reading
    lost: list[int] = []
    downstream.on_lost = lambda: lost.append(1)
    front.send(b"x" * 70_000)
    front.wire.leave()
    assert lost == [1]


# -- timeouts


def test_a_body_that_stops_coming_is_refused(front: Bench) -> None:
    read = started(post(front, 10, body=b"a").read(10))
    front.pass_time(LIMITS.body_timeout - 1)
    assert read == []
    front.pass_time(2)
    assert ended_with(read, BadRequest).status == 408
    answered(front, 408)
    assert front.answer()[1][b"connection"] == b"close"


def test_a_body_that_drips_in_is_refused() -> None:
    front = Bench(limits=Limits(body_timeout=10, body_rate=100))
    read = started(post(front, 10_000).read(10_000))
    for _ in range(20):
        front.send(b"x" * 10)
        front.pass_time(1)
    assert ended_with(read, BadRequest).status == 408
    front.close()


def test_a_body_at_a_fair_rate_may_take_long() -> None:
    front = Bench(limits=Limits(body_timeout=10, body_rate=100))
    read = started(post(front, 10_000).read(10_000))
    for _ in range(50):
        front.send(b"x" * 200)
        front.pass_time(1.5)
    assert read == [b"x" * 10_000]
    front.close()


def test_nobody_times_a_body_that_is_not_being_read(front: Bench) -> None:
    downstream = post(front, 10)
    front.pass_time(600)
    read = started(downstream.read(10))
    front.send(b"0123456789")
    assert read == [b"0123456789"]


# -- the budget


def test_bodies_are_counted_until_their_answers_end(front: Bench) -> None:
    budget = front.front.budget
    downstream = post(front, 6, body=b"abc")
    assert budget.held == 3
    read = started(downstream.read(6))
    front.send(b"def")
    assert read == [b"abcdef"]
    assert budget.held == 6
    answered(front)
    assert budget.held == 0


def test_over_the_budget_bodies_wait_unread_and_go_on_in_order() -> None:
    budget = Budget(100_000)
    front = Bench(budget=budget)
    first = front.wire
    started(post(front, 100_000).read(MOST))
    front.send(b"x" * 100_000)
    reads = []
    wires = []
    for _ in range(2):
        front.wire = front.connect()
        wires.append(front.wire)
        reads.append(started(post(front, 4, body=b"a").read(MOST)))
    assert [wire.reading for wire in wires] == [False, False]
    for wire in wires:
        wire.arrive(b"bcd")
    front.pass_time(5)
    assert reads == [[], []]
    front.served[0].start(204, [])
    front.served[0].finish()
    front.settle()
    assert reads == [[b"abcd"], [b"abcd"]]
    front.front.drop()
    first.reset()
    front.settle()
    assert budget.held == 0
    front.close()


def test_who_waits_too_long_for_the_budget_is_told_to_come_again() -> None:
    budget = Budget(1000)
    budget.take(1000)
    front = Bench(budget=budget)
    read = started(post(front, 10, b"Expect: 100-continue").read(MOST))
    assert front.received() == b""
    front.pass_time(LIMITS.body_timeout + 1)
    assert ended_with(read, Unavailable).retry_after
    answered(front, 503)
    budget.give(1000)
    assert budget.held == 0
    front.close()


def test_who_leaves_while_waiting_for_the_budget_is_forgotten() -> None:
    budget = Budget(1000)
    budget.take(1000)
    front = Bench(budget=budget)
    read = started(post(front, 10, body=b"a").read(MOST))
    front.wire.reset()
    ended_with(read, CancelledError)
    budget.give(1000)
    assert budget.held == 0
    front.close()


def test_a_body_larger_than_the_budget_is_read_when_it_is_alone() -> None:
    front = Bench(budget=Budget(1000))
    read = started(post(front, 5000).read(MOST))
    for _ in range(5):
        front.send(b"x" * 1000)
    assert read == [b"x" * 5000]
    front.close()


# -- uploads


class Taker:
    """Takes an upload."""

    def __init__(self, source: IBodySource) -> None:
        self.source = source
        self.taken: list[bytes] = []
        self.ends: list[object] = []

    def begin(self) -> Taker:
        self.source.start(
            self.taken.append, lambda: self.ends.append("finish"), self.ends.append
        )
        return self

    @property
    def body(self) -> bytes:
        return b"".join(self.taken)


def test_an_upload_is_handed_on_as_it_comes(front: Bench) -> None:
    source = post(front, 9, body=b"abc").source()
    assert verifyObject(IBodySource, source)
    assert source.length == 9
    taker = Taker(source).begin()
    front.send(b"def")
    assert taker.taken == [b"abc", b"def"]
    front.send(b"ghi")
    assert (taker.body, taker.ends) == (b"abcdefghi", ["finish"])
    answered(front)
    assert still_serves(front)


def test_a_chunked_upload_has_no_length(front: Bench) -> None:
    taker = Taker(post(front, None).source()).begin()
    assert taker.source.length is None
    front.send(b"3\r\nabc\r\n0\r\n\r\n")
    assert (taker.body, taker.ends) == (b"abc", ["finish"])


def test_an_upload_asks_for_the_body(front: Bench) -> None:
    source = post(front, 3, b"Expect: 100-continue").source()
    assert front.received() == b""
    Taker(source).begin()
    assert front.received() == b"HTTP/1.1 100 Continue\r\n\r\n"


def test_a_paused_upload_stops_the_reading_and_a_resumed_one_goes_on(
    front: Bench,
) -> None:
    taker = Taker(post(front, 9).source()).begin()
    taker.source.pause()
    assert not front.wire.reading
    front.wire.arrive(b"abcdefghi")
    front.pass_time(300)
    assert taker.taken == []
    taker.source.resume()
    front.settle()
    assert (taker.body, taker.ends) == (b"abcdefghi", ["finish"])


def test_what_was_read_before_the_pause_comes_first_after_it(front: Bench) -> None:
    taker = Taker(post(front, 9).source()).begin()
    taker.source.pause()
    front.wire.protocol.dataReceived(b"abc")  # as TLS does, which had it decrypted
    assert taker.taken == []
    front.wire.arrive(b"defghi")
    taker.source.resume()
    front.settle()
    assert taker.taken == [b"abc", b"defghi"]


def test_an_upload_may_end_while_it_is_paused(front: Bench) -> None:
    taker = Taker(post(front, 3).source()).begin()
    taker.source.pause()
    front.wire.protocol.dataReceived(b"abc")
    assert taker.ends == []
    assert front.wire.reading, "nothing may hide that the client leaves"
    taker.source.resume()
    assert (taker.body, taker.ends) == (b"abc", ["finish"])


def test_an_upload_may_be_paused_from_inside_its_write(front: Bench) -> None:
    source = post(front, 9, body=b"abc").source()
    taken: list[bytes] = []

    def write(data: bytes) -> None:
        taken.append(data)
        source.pause()

    finished: list[int] = []
    source.start(write, lambda: finished.append(1), pytest.fail)
    front.wire.arrive(b"def")
    assert taken == [b"abc"]
    source.resume()
    front.settle()
    assert taken == [b"abc", b"def"]
    front.wire.arrive(b"ghi")
    source.resume()
    front.settle()
    source.resume()
    assert b"".join(taken) == b"abcdefghi"
    assert finished == [1]


def test_a_stopped_upload_gives_nothing_and_is_thrown_away(front: Bench) -> None:
    taker = Taker(post(front, 9).source()).begin()
    taker.source.pause()
    taker.source.stop()
    taker.source.stop()
    assert front.wire.reading
    front.send(b"abcdefghi")
    assert (taker.taken, taker.ends) == ([], [])
    answered(front)
    assert still_serves(front)


def test_an_upload_whose_client_leaves_has_failed(front: Bench) -> None:
    taker = Taker(post(front, 9).source()).begin()
    front.wire.leave()
    assert [type(end) for end in taker.ends] == [CancelledError]
    taker.source.resume()
    taker.source.stop()


def test_a_paused_upload_whose_client_resets_has_failed(front: Bench) -> None:
    downstream = post(front, 9)
    lost: list[int] = []
    downstream.on_lost = lambda: lost.append(1)
    taker = Taker(downstream.source()).begin()
    taker.source.pause()
    front.wire.reset()
    assert [type(end) for end in taker.ends] == [CancelledError]
    assert lost == [1]


def test_a_malformed_upload_has_failed(front: Bench) -> None:
    taker = Taker(post(front, None).source()).begin()
    front.send(b"3\r\nabcd\r\n")
    assert [type(end) for end in taker.ends] == [BadRequest]


def test_an_upload_that_stops_coming_has_failed(front: Bench) -> None:
    taker = Taker(post(front, 9).source()).begin()
    front.pass_time(LIMITS.body_timeout + 1)
    (end,) = taker.ends
    assert isinstance(end, BadRequest)
    assert end.status == 408


def test_an_answer_may_begin_while_the_upload_runs(front: Bench) -> None:
    downstream = post(front, 9)
    taker = Taker(downstream.source()).begin()
    downstream.start(200, [])
    downstream.write(b"x")
    front.send(b"abcdefghi")
    assert (taker.body, taker.ends) == (b"abcdefghi", ["finish"])
    downstream.finish()
    assert still_serves(front)


def test_an_upload_moves_nothing_once_its_answer_is_over(front: Bench) -> None:
    taker = Taker(post(front, 9).source()).begin()
    answered(front)
    front.send(b"abcdefghi")
    assert (taker.taken, taker.ends) == ([], [])
    read = started(post(front, 3).read(3))
    taker.source.pause()
    taker.source.resume()
    taker.source.stop()
    assert front.wire.reading
    front.pass_time(LIMITS.body_timeout + 1)
    ended_with(read, BadRequest)


def test_memory_stays_bounded_while_an_upload_is_paused(front: Bench) -> None:
    taker = Taker(post(front, 100_000_000).source()).begin()
    taker.source.pause()
    for _ in range(100):
        front.wire.arrive(b"x" * 65_536)
    assert front.front.budget.held == 0


def test_an_upload_begun_after_its_answer_has_failed(front: Bench) -> None:
    downstream = post(front, 9)
    source = downstream.source()
    downstream.start(200, [])
    taker = Taker(source).begin()
    front.send(b"abcdefghi")
    assert taker.taken == []
    assert [type(end) for end in taker.ends] == [CancelledError]


@pytest.mark.parametrize("size", [100, 200_000])
def test_neither_prompt_nor_fields_are_held_beside_the_answer(size: int) -> None:
    front = Bench()
    body = b"the prompt " * (size // 10)
    downstream = front.request(b"POST / HTTP/1.1", b"X-Rare: the field", body=body)
    assert holds(downstream, "the prompt") or size > 100
    assert result(downstream.read(1 << 20)) == body
    assert holds(downstream, "the field")
    downstream.start(200, [(b"content-length", b"5")])
    downstream.write(b"he")
    assert not holds(downstream, "the prompt")
    assert not holds(downstream, "the field")
    assert front.front.budget.held == len(body)
    downstream.write(b"llo")
    downstream.finish()
    assert front.front.budget.held == 0
    front.close()
