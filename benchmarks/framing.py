"""
What framing costs, in µs a frame: ``python -m benchmarks.framing``.

Each figure is the best of several runs, in CPU time of this process. The targets are
those of issue 5, item 4.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from time import process_time
from typing import Any

from aigw.framing import EventStream, get
from aigw.model.frame import EventStreamFrame, SSEFrame

READ = 16 * 1024
LARGE = 256 * 1024


def sse_frames(count: int) -> list[bytes]:
    """Events of about 200 bytes, as a chat stream has them."""
    sse = get("sse")
    chunk = {
        "id": "chatcmpl-0123456789abcdef",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "gpt-4o-mini",
        "choices": [{"index": 0, "delta": {"content": " word"}, "finish_reason": None}],
    }
    data = json.dumps(chunk, separators=(",", ":")).encode()
    return [sse.encode(SSEFrame(data=data))] * count


def eventstream_frames(count: int, *, vary: bool) -> list[bytes]:
    """Messages as of Bedrock's ConverseStream; ``vary``: no header block twice."""
    framing = get("aws-eventstream")
    payload = b'{"contentBlockIndex":0,"delta":{"text":" word"},"p":"abcdefghijklmno"}'
    headers = {
        ":event-type": "contentBlockDelta",
        ":content-type": "application/json",
        ":message-type": "event",
    }
    return [
        framing.encode(
            EventStreamFrame(
                {**headers, ":event-type": f"contentBlock{at:05}"} if vary else headers,
                payload,
            )
        )
        for at in range(count)
    ]


def cut(stream: bytes, size: int) -> list[bytes]:
    """``stream`` in pieces of ``size`` bytes."""
    return [stream[at : at + size] for at in range(0, len(stream), size)]


def best(run: Callable[[], object], rounds: int = 7) -> float:
    """The least CPU seconds of one run."""
    times = []
    for _ in range(rounds):
        begun = process_time()
        run()
        times.append(process_time() - begun)
    return min(times)


def fed(make: Callable[[], Any], reads: Sequence[bytes]) -> float:
    """CPU seconds to feed a fresh decoder with ``reads``."""

    def run() -> None:
        feed = make().feed
        for data in reads:
            feed(data)

    return best(run)


def report(rows: Iterable[tuple[str, float, str, float | None]]) -> None:
    """Print what, figure, unit and target, one a line."""
    for what, figure, unit, target in rows:
        wanted = "" if target is None else f"   target {target}"
        print(f"{what:52} {figure:8.3f} {unit:12}{wanted}")


def main() -> None:
    count = 20000
    sse = get("sse").decoder
    frames = sse_frames(count)
    stream = b"".join(frames)
    crlf = stream.replace(b"\n", b"\r\n")
    typed = [b"event: content_block_delta\n" + frame for frame in frames]
    each = 1e6 / count
    report(
        [
            ("SSE, one frame a read", fed(sse, frames) * each, "µs/frame", 0.9),
            ("SSE, 16 KiB reads", fed(sse, cut(stream, READ)) * each, "µs/frame", 0.6),
            ("SSE with types, one a read", fed(sse, typed) * each, "µs/frame", None),
            (
                "SSE, CRLF, 16 KiB reads",
                fed(sse, cut(crlf, READ)) * each,
                "µs/frame",
                None,
            ),
        ]
    )

    small = cut(stream, 16)
    report(
        [
            ("SSE, small frames, 16 B reads", fed(sse, small) * each, "µs/frame", None),
            *linear("one line", lambda size: b"data: " + b"x" * size + b"\n\n"),
            *linear("lines of 8 B", lambda size: b"data: x\n" * (size // 8) + b"\n"),
        ]
    )

    framing = EventStream()
    same = eventstream_frames(count, vary=False)
    other = eventstream_frames(count, vary=True)
    packed = cut(b"".join(same), READ)
    # A new framing each time: nothing of its header blocks is known.
    fresh = fed(lambda: EventStream().decoder(), other)
    report(
        [
            (
                "EventStream, one a read",
                fed(framing.decoder, same) * each,
                "µs/frame",
                1.6,
            ),
            (
                "EventStream, 16 KiB reads",
                fed(framing.decoder, packed) * each,
                "µs/frame",
                1.6,
            ),
            ("EventStream, new header blocks", fresh * each, "µs/frame", 2.8),
        ]
    )


def linear(
    what: str, event: Callable[[int], bytes]
) -> list[tuple[str, float, str, float | None]]:
    """A large event whole, and in reads of 16 B; and one of a quarter of its size."""
    sse = get("sse").decoder
    reads = cut(event(LARGE), 16)
    whole, small = fed(sse, [event(LARGE)]), fed(sse, reads)
    quarter = fed(sse, cut(event(LARGE // 4), 16))
    name = f"SSE, 256 KiB event, {what}"
    return [
        (f"{name}, whole", whole * 1e6, "µs", None),
        (f"{name}, 16 B reads", small * 1e6, "µs", None),
        (f"{name}, against whole", small / whole, "x", 2.0),
        (f"{name}, a read", small / len(reads) * 1e6, "µs/read", None),
        (f"{name}, against a quarter", small / quarter, "x (4 linear)", None),
    ]


if __name__ == "__main__":
    main()
