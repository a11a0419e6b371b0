"""
The pair: bytes go on, pauses reach the provider, every row of "what ends a stream".

One letter is a frame here: ``c`` content, ``.`` a comment, ``!`` terminal, ``e`` an
error, ``(`` and ``)`` the two halves of one content frame.
"""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from aigw.errors import (
    AnswerTooLarge,
    GatewayError,
    Unavailable,
    UpstreamBroke,
    UpstreamError,
    UpstreamTimeout,
)
from aigw.interfaces import ITap
from aigw.model import sight as sights
from aigw.model.event import Failed
from aigw.model.instance import Streaming
from aigw.model.outbound import Origin, Outbound
from aigw.streaming.ending import Ending
from aigw.streaming.flush import Flush
from aigw.streaming.outlet import Outlet
from aigw.streaming.relay import Relay
from aigw.streaming.timers import Wheel
from aigw.testing.downstream import MemoryDownstream
from aigw.testing.upstream import MemoryCall, MemoryUpstream

SIGHTS = {
    ord("c"): sights.CONTENT,
    ord("("): sights.NOTHING,
    ord(")"): sights.CONTENT,
    ord("."): sights.NOTHING,
    ord("!"): sights.TERMINAL,
    ord("e"): sights.ERROR,
}


class Letters:
    """A way through for streams of one-letter frames."""

    terminates = True
    tap: ITap | None = None
    damaged = False
    failed: Failed | None = None

    def __init__(self) -> None:
        self.sight = sights.NOTHING
        self.boundary = True

    def feed(self, data: bytes) -> bytes:
        self.sight = 0
        for letter in data:
            self.sight |= SIGHTS.get(letter, sights.NOTHING)
        self.boundary = not data.endswith(b"(")
        return data

    def end(self) -> bytes:
        self.sight = sights.NOTHING
        return b""


class Faulty(Letters):
    """A way that raises at the end."""

    def end(self) -> bytes:
        return b"%d" % (1 // 0)


class Speaks:
    def ping(self) -> bytes | None:
        return b"~"

    def broken(self, error: GatewayError) -> bytes:
        return b"<%s>" % error.reason.encode()


class Hoarse(Speaks):
    """A voice that raises."""

    def broken(self, error: GatewayError) -> bytes:
        return b"%d" % (1 // 0)


class Pair:
    """A relay between a provider and a client in memory."""

    def __init__(
        self,
        streaming: Streaming | None = None,
        *,
        held: bool = False,
        way: Letters | None = None,
        voice: Speaks | None = None,
        **deadlines: Any,
    ) -> None:
        streaming = streaming or Streaming(flush=0.0)
        self.clock = Clock()
        self.wheel = Wheel(self.clock)
        self.flush = Flush(self.clock)
        self.upstream = MemoryUpstream(self.clock)
        self.client = MemoryDownstream()
        outbound = Outbound(Origin("http", "mock", 80), "POST", b"/", [], b"{}")
        pair = self

        class First:
            def head(self, status: int, headers: Any) -> None: ...
            def body(self, data: bytes) -> None:
                pair.relay.body(data)

            def ended(self) -> None:
                pair.relay.ended()

            def failed(self, error: UpstreamError) -> None:
                pair.relay.failed(error)

        receiver: Any = First()
        self.upstream.send(outbound, receiver)
        self.call: MemoryCall = self.upstream.calls[0]
        outlet = Outlet(
            self.client,
            (200, [(b"content-type", b"text/event-stream")]),
            self.flush.ticker(streaming.flush),
            self.clock.seconds,
            held=held,
        )
        self.relay = Relay(
            self.client,
            self.call,
            way or Letters(),
            outlet,
            voice or Speaks(),
            streaming,
            self.wheel,
            hold=streaming.commit_hold,
            **deadlines,
        )
        self.result: Ending | GatewayError | None = None
        self.relay.done.addCallbacks(self._ended, self._failed)
        self.call.head(200, [])

    def _ended(self, ending: Ending) -> None:
        self.result = ending

    def _failed(self, failure: Any) -> None:
        failure.trap(GatewayError)
        self.result = failure.value

    @property
    def ending(self) -> tuple[str, str]:
        assert isinstance(self.result, Ending), self.result
        return self.result.outcome.value, self.result.reason

    def wait(self, seconds: float) -> None:
        self.clock.pump([0.01] * round(seconds / 0.01))

    def pause(self) -> None:
        assert self.client.producer is not None
        self.client.producer.pauseProducing()

    def resume(self) -> None:
        assert self.client.producer is not None
        self.client.producer.resumeProducing()

    def nothing_left(self) -> bool:
        self.wait(3)  # the wheel's turn and the flush loop run out by themselves
        return not self.clock.getDelayedCalls()


# -- bytes and the flush


def test_first_bytes_leave_at_once_with_the_head() -> None:
    pair = Pair(Streaming(flush=0.01))
    assert pair.client.status is None
    pair.call.body(b"c")
    assert pair.client.status == 200
    assert pair.client.writes == [b"c"]


def test_bytes_that_come_too_soon_leave_together_at_the_tick() -> None:
    pair = Pair(Streaming(flush=0.01))
    for _ in range(100):
        pair.call.body(b"c")
    assert pair.client.writes == [b"c"]
    pair.wait(0.01)
    assert pair.client.writes == [b"c", b"c" * 99]


def test_slow_bytes_are_never_delayed() -> None:
    pair = Pair(Streaming(flush=0.01))
    for count in range(1, 6):
        pair.call.body(b"c")
        assert pair.client.writes == [b"c"] * count
        pair.clock.advance(0.02)
    assert not pair.flush.ticker(0.01).running


def test_flush_zero_writes_each_read_at_once() -> None:
    pair = Pair(Streaming(flush=0.0))
    for _ in range(5):
        pair.call.body(b"cc")
    assert pair.client.writes == [b"cc"] * 5


def test_a_full_batch_does_not_wait_for_the_tick() -> None:
    pair = Pair(Streaming(flush=0.05))
    pair.call.body(b"c")
    pair.call.body(b"c" * 40_000)
    assert len(pair.client.writes) == 1
    pair.call.body(b"c" * 40_000)
    assert [len(piece) for piece in pair.client.writes] == [1, 80_000]


def test_terminal_frame_flushes_what_was_gathered() -> None:
    pair = Pair(Streaming(flush=0.05))
    pair.call.body(b"c")
    pair.call.body(b"c")
    pair.call.body(b"!")
    assert pair.client.writes == [b"c", b"c!"]


def test_flush_loop_stops_with_the_connection() -> None:
    pair = Pair(Streaming(flush=0.05))
    pair.call.body(b"c")
    pair.call.body(b"c")
    ticker = pair.flush.ticker(0.05)
    assert ticker.running
    pair.client.leave()
    pair.wait(0.06)
    assert not ticker.running
    assert pair.client.writes == [b"c"]


# -- backpressure


def test_slow_client_pauses_the_provider() -> None:
    pair = Pair()
    pair.call.body(b"c")
    pair.pause()
    assert pair.call.paused
    pair.resume()
    assert not pair.call.paused


def test_the_read_during_which_the_pause_came_waits_for_the_resume() -> None:
    pair = Pair(Streaming(flush=0.01))
    pair.call.body(b"c")
    pair.pause()
    pair.relay.body(b"cc")
    pair.wait(0.1)
    assert pair.client.writes == [b"c"]
    pair.resume()
    assert pair.client.writes == [b"c", b"cc"]


def test_resume_that_fills_the_transport_again_leaves_the_provider_paused() -> None:
    pair = Pair(Streaming(flush=0.01))
    pair.call.body(b"c")
    pair.pause()
    pair.relay.body(b"cc")
    write = pair.client.write

    def fills(data: bytes) -> None:
        write(data)
        pair.pause()

    pair.client.write = fills  # type: ignore[method-assign]
    pair.resume()
    assert pair.call.paused
    assert pair.client.written == b"ccc"


def test_client_loss_while_paused_stops_the_provider() -> None:
    pair = Pair()
    pair.call.body(b"c")
    pair.pause()
    pair.client.leave()
    assert pair.call.stopped
    assert pair.ending == ("client_gone", "")


def test_stopping_twice_is_harmless() -> None:
    pair = Pair()
    pair.call.body(b"c")
    pair.relay.stopProducing()
    pair.relay.stopProducing()
    pair.relay.client_gone()
    pair.relay.pauseProducing()
    pair.relay.resumeProducing()
    assert pair.ending == ("client_gone", "")


def test_end_while_paused_is_finished_when_the_client_takes_the_rest() -> None:
    pair = Pair(Streaming(flush=0.01))
    pair.call.body(b"c")
    pair.pause()
    pair.relay.body(b"c!")
    pair.relay.ended()
    assert pair.client.ended is None
    pair.resume()
    assert pair.client.written == b"cc!"
    assert pair.client.ended == "finish"
    assert pair.ending == ("completed", "")


# -- what ends a stream


def test_terminal_frame_then_http_end_completes() -> None:
    pair = Pair()
    pair.call.body(b"c!")
    pair.call.ended()
    assert pair.client.ended == "finish"
    assert pair.ending == ("completed", "")
    assert not pair.call.stopped
    assert pair.nothing_left()


def test_terminal_frame_without_http_end_finishes_within_a_quarter_second() -> None:
    pair = Pair()
    pair.call.body(b"c!")
    pair.wait(0.2)
    assert pair.client.ended is None
    pair.wait(0.15)
    assert pair.client.ended == "finish"
    assert pair.call.stopped
    assert pair.ending == ("completed", "")


def test_break_behind_the_terminal_frame_is_no_break() -> None:
    pair = Pair()
    pair.call.body(b"c!")
    pair.call.failed(UpstreamBroke("reset", reason="reset"))
    assert pair.client.ended == "finish"
    assert pair.ending == ("completed", "")


def test_break_on_a_frame_boundary_is_told_then_cut() -> None:
    pair = Pair()
    pair.call.body(b"cc")
    pair.call.failed(UpstreamBroke("reset", reason="reset"))
    assert pair.client.written == b"cc<reset>"
    assert pair.client.ended == "cut"
    assert pair.ending == ("broken", "reset")


def test_break_in_mid_frame_is_cut_at_once() -> None:
    pair = Pair()
    pair.call.body(b"c(")
    pair.call.failed(UpstreamBroke("reset", reason="reset"))
    assert pair.client.written == b"c("
    assert pair.client.ended == "cut"


def test_break_flushes_what_was_gathered_first() -> None:
    pair = Pair(Streaming(flush=0.05))
    pair.call.body(b"c")
    pair.call.body(b"c")
    pair.call.failed(UpstreamBroke("reset", reason="reset"))
    assert pair.client.written == b"cc<reset>"
    assert pair.nothing_left()


def test_break_before_any_output_is_left_to_the_exchange() -> None:
    pair = Pair()
    pair.call.failed(UpstreamBroke("reset", reason="reset"))
    assert isinstance(pair.result, UpstreamBroke)
    assert pair.client.status is None
    assert pair.client.producer is None
    assert pair.nothing_left()


def test_proper_end_without_terminal_frame_is_incomplete() -> None:
    pair = Pair()
    pair.call.body(b"cc")
    pair.call.ended()
    assert pair.client.ended == "finish"
    assert pair.ending == ("incomplete", "")


def test_empty_stream_is_an_error() -> None:
    pair = Pair()
    pair.call.ended()
    assert isinstance(pair.result, UpstreamBroke)
    assert pair.result.status == 502


def test_error_frame_of_the_provider_goes_on_and_is_recorded() -> None:
    pair = Pair()
    pair.call.body(b"ce")
    pair.call.ended()
    assert pair.client.written == b"ce"
    assert pair.ending == ("failed", "error_in_stream")


def test_response_limit_ends_the_stream_before_the_bytes_over_it() -> None:
    pair = Pair(Streaming(flush=0.0, max_response_bytes=4))
    pair.call.body(b"ccc")
    pair.call.body(b"ccc")
    assert pair.client.written == b"ccc<max_response_bytes>"
    assert pair.client.ended == "cut"
    assert pair.call.stopped
    assert pair.ending == ("limit", "max_response_bytes")


def test_response_limit_before_output_is_left_to_the_exchange() -> None:
    pair = Pair(Streaming(flush=0.0, max_response_bytes=4))
    pair.call.body(b"cccccc")
    assert isinstance(pair.result, AnswerTooLarge)


def test_shutdown_is_told_then_cut() -> None:
    pair = Pair()
    pair.call.body(b"c")
    pair.relay.expire(Unavailable("shutting down", reason="shutdown"))
    assert pair.client.written == b"c<shutdown>"
    assert pair.client.ended == "cut"
    assert pair.call.stopped
    assert pair.ending == ("shutdown", "shutdown")


def test_shutdown_behind_the_terminal_frame_completes() -> None:
    pair = Pair()
    pair.call.body(b"c!")
    pair.relay.expire(Unavailable("shutting down", reason="shutdown"))
    assert pair.client.written == b"c!"
    assert pair.client.ended == "finish"
    assert pair.ending == ("completed", "")


def test_shutdown_does_not_wait_for_a_client_that_takes_nothing() -> None:
    pair = Pair()
    pair.call.body(b"c")
    pair.pause()
    pair.relay.body(b"!")
    pair.relay.expire(Unavailable("shutting down", reason="shutdown"))
    assert pair.client.ended == "abort"
    assert pair.ending == ("shutdown", "shutdown")
    assert pair.nothing_left()


@pytest.mark.parametrize("sent", [b"c", b"c!"])
def test_a_way_that_raises_at_the_end_is_cut(
    sent: bytes, logged_failures: list[Failure]
) -> None:
    pair = Pair(way=Faulty())
    pair.call.body(sent)
    pair.call.ended() if sent == b"c" else pair.wait(0.3)
    assert pair.client.written == sent + b"<internal>"
    assert pair.client.ended == "cut"
    assert pair.ending == ("broken", "internal")
    assert pair.nothing_left()
    assert logged_failures.pop().check(ZeroDivisionError)


def test_a_voice_that_raises_is_a_plain_cut(logged_failures: list[Failure]) -> None:
    pair = Pair(voice=Hoarse())
    pair.call.body(b"c")
    pair.call.failed(UpstreamBroke("reset", reason="reset"))
    assert pair.client.written == b"c"
    assert pair.client.ended == "cut"
    assert pair.ending == ("broken", "reset")
    assert pair.nothing_left()
    assert logged_failures.pop().check(ZeroDivisionError)


def test_cancelling_lets_go_of_both_ends() -> None:
    pair = Pair()
    pair.call.body(b"c")
    pair.relay.done.addErrback(lambda failure: None)
    done, pair.result = pair.relay.done, None
    pair.relay.abandon()
    assert pair.call.stopped
    assert pair.client.producer is None
    assert pair.nothing_left()
    assert not done.called


# -- deadlines


def test_idle_deadline_counts_progress_only() -> None:
    pair = Pair(idle=1.0)
    pair.call.body(b"c")
    pair.wait(0.7)
    pair.call.body(b"c")
    for _ in range(3):
        pair.wait(0.3)
        pair.call.body(b".")
    pair.wait(0.2)
    assert pair.ending == ("limit", "idle")
    assert pair.client.written == b"cc...<idle>"


def test_idle_deadline_stands_still_while_paused() -> None:
    pair = Pair(idle=1.0)
    pair.call.body(b"c")
    pair.wait(0.5)
    pair.pause()
    pair.wait(5)
    assert pair.result is None
    pair.resume()
    pair.wait(0.4)
    assert pair.result is None
    pair.wait(0.2)
    assert pair.ending == ("limit", "idle")


def test_idle_deadline_before_output_is_left_to_the_exchange() -> None:
    pair = Pair(idle=1.0)
    pair.wait(1.1)
    assert isinstance(pair.result, UpstreamTimeout)
    assert pair.result.status == 504


def test_client_that_takes_nothing_is_dropped() -> None:
    pair = Pair(client_stall=1.0)
    pair.call.body(b"c")
    pair.pause()
    pair.wait(0.9)
    pair.resume()
    pair.pause()
    pair.wait(0.9)
    assert pair.result is None
    pair.wait(0.2)
    assert pair.ending == ("limit", "client_stall")
    assert pair.client.ended == "abort"
    assert pair.call.stopped


def test_heartbeat_fills_silence_on_frame_boundaries() -> None:
    pair = Pair(Streaming(flush=0.0, heartbeat=1.0))
    pair.call.body(b"c")
    pair.wait(1.1)
    assert pair.client.written == b"c~"
    pair.call.body(b"(")
    pair.wait(3)
    assert pair.client.written == b"c~("
    pair.call.body(b")")
    pair.wait(1.1)
    assert pair.client.written == b"c~()~"
    pair.client.leave()
    assert pair.nothing_left()


def test_heartbeat_is_not_sent_into_a_busy_stream() -> None:
    pair = Pair(Streaming(flush=0.0, heartbeat=1.0))
    for _ in range(10):
        pair.call.body(b"c")
        pair.wait(0.5)
    assert pair.client.written == b"c" * 10


# -- the client's leaving


@pytest.mark.parametrize("flush", [0.0, 0.01, 0.05])
def test_client_that_leaves_stops_the_provider_at_once(flush: float) -> None:
    pair = Pair(Streaming(flush=flush))
    for _ in range(3):
        pair.call.body(b"c")
    pair.client.leave()
    assert pair.call.stopped
    assert pair.ending == ("client_gone", "")
    assert pair.nothing_left()


def drains() -> Streaming:
    return Streaming(
        flush=0.0, on_client_disconnect="drain", drain_seconds=2.0, drain_bytes=10
    )


def test_drain_reads_on_for_the_usage() -> None:
    pair = Pair(drains())
    pair.call.body(b"c")
    pair.client.leave()
    assert not pair.call.stopped
    pair.call.body(b"cc")
    pair.call.body(b"!")
    assert pair.ending == ("client_gone", "")
    assert pair.client.written == b"c"


def test_drain_is_bounded_in_time() -> None:
    pair = Pair(drains())
    pair.call.body(b"c")
    pair.client.leave()
    pair.wait(2.1)
    assert pair.call.stopped
    assert pair.ending == ("client_gone", "drain_limit")


def test_drain_is_bounded_in_bytes() -> None:
    pair = Pair(drains())
    pair.call.body(b"c")
    pair.client.leave()
    pair.call.body(b"c" * 11)
    assert pair.call.stopped
    assert pair.ending == ("client_gone", "drain_limit")


def test_drain_goes_on_reading_a_paused_provider() -> None:
    pair = Pair(drains())
    pair.call.body(b"c")
    pair.pause()
    pair.client.leave()
    assert not pair.call.paused
    pair.call.ended()
    assert pair.ending == ("client_gone", "")


@pytest.mark.parametrize("rest", [b"c", b"."])
def test_drain_of_what_was_held_is_bounded_in_time(rest: bytes) -> None:
    pair = Pair(drains(), held=True)
    pair.call.body(b".")
    pair.client.leave()
    pair.call.body(rest)
    pair.wait(2.1)
    assert pair.call.stopped
    assert pair.ending == ("client_gone", "drain_limit")


def test_error_in_a_drain_calls_for_no_other_attempt() -> None:
    pair = Pair(drains(), held=True)
    pair.call.body(b".")
    pair.client.leave()
    pair.call.body(b"e")
    pair.call.ended()
    assert pair.ending == ("client_gone", "")


# -- the commit point


def test_nothing_leaves_before_content() -> None:
    pair = Pair(held=True)
    pair.call.body(b"..")
    assert pair.client.status is None
    pair.call.body(b"c")
    assert pair.client.writes == [b"..c"]


def test_error_inside_the_hold_is_a_failed_attempt() -> None:
    pair = Pair(held=True)
    pair.call.body(b"..e")
    assert isinstance(pair.result, UpstreamError)
    assert pair.result.reason == "error_in_stream"
    assert pair.client.status is None
    assert pair.call.stopped


def test_hold_ends_after_its_time() -> None:
    pair = Pair(held=True)
    pair.call.body(b"..")
    pair.wait(1.1)
    assert pair.client.writes == [b".."]
    pair.call.body(b"e")
    assert pair.client.written == b"..e"


def test_hold_ends_at_64_kib() -> None:
    pair = Pair(held=True)
    pair.call.body(b"." * 70_000)
    assert len(pair.client.written) == 70_000


def test_break_inside_the_hold_is_a_failed_attempt() -> None:
    pair = Pair(held=True)
    pair.call.body(b"..")
    pair.call.failed(UpstreamBroke("reset", reason="reset"))
    assert isinstance(pair.result, UpstreamBroke)
    assert pair.client.status is None


def test_terminal_frame_commits() -> None:
    pair = Pair(held=True)
    pair.call.body(b".!")
    pair.call.ended()
    assert pair.client.written == b".!"
    assert pair.ending == ("completed", "")
