"""Server-sent events, by the standard's own words and examples (WHATWG HTML, 9.2)."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aigw.errors import FramingError
from aigw.framing import SSE
from aigw.model.frame import SSEFrame
from aigw.testing.framing import (
    check_framing,
    feed_all,
    single_bytes,
    until_refused,
)

sse = SSE()


def read(*reads: bytes) -> list[SSEFrame]:
    return feed_all(sse.decoder(), reads)


def test_sse_keeps_the_promises_of_a_framing() -> None:
    check_framing(
        sse,
        [
            SSEFrame(data=b'{"choices": []}'),
            SSEFrame("content_block_delta", b'{"type": "text"}'),
            SSEFrame("größe", b"two\nlines", "id 1", 3000),
            SSEFrame(data=b""),
            SSEFrame(data=b"\n\n"),
            SSEFrame(data=b" leading", id=""),
            SSEFrame("nothing but a type"),
            SSEFrame(retry=0),
            SSEFrame(),
        ],
        large=SSEFrame("large", b'{"text": "' + b"x" * 256 * 1024 + b'"}'),
    )


def test_a_large_event_of_many_lines_costs_no_more_than_its_bytes() -> None:
    large = SSEFrame(data=b"\n".join([b"x" * 10] * 20000))
    check_framing(sse, [SSEFrame(data=b"a"), SSEFrame(data=b"b")], large=large)


# -- the examples of section 9.2.6


def test_data_lines_are_joined_by_line_feeds() -> None:
    assert read(b"data: YHOO\ndata: +2\ndata: 10\n\n") == [
        SSEFrame(data=b"YHOO\n+2\n10")
    ]


def test_comments_ids_and_an_unfinished_block_as_the_standard_shows() -> None:
    stream = (
        b": test stream\n\ndata: first event\nid: 1\n\n"
        b"data:second event\nid\n\ndata:  third event"
    )
    assert read(stream) == [
        SSEFrame(data=b"first event", id="1"),
        SSEFrame(data=b"second event", id=""),
    ]
    assert sse.decode(stream)[2:] == [SSEFrame(data=b" third event")]


def test_a_line_without_a_colon_is_a_field_with_an_empty_value() -> None:
    assert read(b"data\n\ndata\ndata\n\ndata:") == [
        SSEFrame(data=b""),
        SSEFrame(data=b"\n"),
    ]


def test_one_space_behind_the_colon_is_dropped_and_no_second() -> None:
    assert read(b"data:test\n\ndata: test\n\n") == [SSEFrame(data=b"test")] * 2
    assert read(b"data:  test \n\n") == [SSEFrame(data=b" test ")]


# -- its rules


@pytest.mark.parametrize("first", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("second", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("third", [b"\n", b"\r", b"\r\n"])
def test_every_mixture_of_line_ends_in_every_cut(
    first: bytes, second: bytes, third: bytes
) -> None:
    block = b"event: a" + first + b"data: b" + second + third
    stream = block + b"data: c\n\n"
    if (second, third) == (b"\r", b"\n"):  # that is one line end
        expected = [SSEFrame("a", b"b\nc")]
    else:
        expected = [SSEFrame("a", b"b"), SSEFrame(data=b"c")]
    assert sse.decode(stream) == expected
    assert sse.decode_buf(stream) == (expected, b"")
    for at in range(len(stream) + 1):
        assert read(stream[:at], stream[at:]) == expected


def test_a_carriage_return_completes_a_frame_without_waiting_for_a_line_feed() -> None:
    decoder = sse.decoder()
    assert decoder.feed(b"data: a\r\n\r") == [SSEFrame(data=b"a")]
    assert decoder.pending == 0
    assert decoder.feed(b"\n") == []
    assert decoder.pending == 0
    assert decoder.feed(b"data: b\r\r") == [SSEFrame(data=b"b")]


def test_a_byte_order_mark_is_skipped_at_the_start_alone_in_any_cut() -> None:
    stream = b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\ndata: c\n\n"
    expected = [SSEFrame(data=b"a"), SSEFrame(data=b"c")]
    assert sse.decode(stream) == expected
    assert read(*single_bytes(stream)) == expected
    assert read(b"\xef\xbb\xbf" + stream) == [SSEFrame(data=b"c")]
    assert read(b"\xef\xbb", b"data: a\n\n") == []


def test_an_id_with_nul_is_ignored() -> None:
    assert read(b"id: 1\nid: 2\0\ndata: a\n\n") == [SSEFrame(data=b"a", id="1")]


@pytest.mark.parametrize(
    "value", [b"", b"-1", b"1.5", b"10s", "\u0661".encode(), b"9" * 5000]
)
def test_a_retry_that_is_no_number_is_ignored(value: bytes) -> None:
    assert read(b"retry: " + value + b"\ndata: a\n\n") == [SSEFrame(data=b"a")]
    assert read(b"retry: 1000\nretry: " + value + b"\n\n") == [SSEFrame(retry=1000)]


def test_field_names_are_compared_with_case_and_without_trimming() -> None:
    assert read(b"Data: a\n data: b\ndata : c\nDATA\nfoo: d\n\n") == []


def test_a_block_without_a_field_that_counts_is_no_frame() -> None:
    assert read(b"\n\n\n: comment\n\nfoo: bar\n\nid: \0\n\nretry: x\n\n") == []


def test_a_type_without_data_is_a_frame_whose_data_is_none() -> None:
    assert read(b"event: ping\n\n") == [SSEFrame("ping", None)]


def test_an_empty_type_is_message_and_the_last_type_counts() -> None:
    assert read(b"event: a\nevent:\ndata: b\n\n") == [SSEFrame("message", b"b")]
    assert read(b"event: \ndata: b\n\n") == [SSEFrame("message", b"b")]


def test_text_that_is_not_utf8_is_replaced_and_data_is_left_as_it_is() -> None:
    frame = SSEFrame("a\ufffd", b"\xff", "\ufffd")
    assert read(b"event: a\xff\nid: \xc3\ndata: \xff\n\n") == [frame]


# -- buffers


def test_pending_counts_what_is_held_of_a_frame() -> None:
    decoder = sse.decoder()
    decoder.feed(b"data: a\n\ndata: b")
    assert decoder.pending == 7
    decoder.feed(b"c")
    assert decoder.pending == 8
    assert decoder.feed(b"\n\n\n\n") == [SSEFrame(data=b"bc")]
    assert decoder.pending == 0


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_split_buf_cuts_behind_the_last_blank_line(end: bytes) -> None:
    complete = b"data: a" + end * 2 + b"data: b" + end * 3
    assert sse.split_buf(complete + b"data: c" + end) == (complete, b"data: c" + end)
    assert sse.split_buf(end + b"data: a") == (end, b"data: a")
    assert sse.split_buf(b"data: a" + end) == (b"", b"data: a" + end)


def test_whole_says_so_only_behind_a_blank_line() -> None:
    assert sse.whole(b"data: a\n\n")
    assert sse.whole(b"data: a\r\n\r\n")
    assert sse.whole(b"data: a\r\r")
    assert not sse.whole(b"data: a\n")
    assert not sse.whole(b"data: a\r\n")


# -- limits


def test_an_event_of_exactly_the_limit_passes_and_a_byte_more_does_not() -> None:
    event = sse.encode(SSEFrame(data=b"x" * 100))
    for reads in ([event], single_bytes(event)):
        assert len(feed_all(sse.decoder(len(event)), reads)) == 1
        assert until_refused(sse.decoder(len(event) - 1), reads) == []


def test_an_oversize_event_carries_the_good_ones_before_it() -> None:
    stream = b"data: a\n\n\ndata: b\n\ndata: " + b"x" * 100
    for tail in (b"", b"\n\ndata: c\n\n"):
        with pytest.raises(FramingError) as refused:
            sse.decoder(50).feed(stream + tail)
        good = [SSEFrame(data=b"a"), SSEFrame(data=b"b")]
        assert refused.value.frames == refused.value.events == good


def test_a_decoder_that_has_raised_is_spent() -> None:
    decoder = sse.decoder(10)
    with pytest.raises(FramingError):
        decoder.feed(b"data: 0123456789")
    assert decoder.pending == 0
    for data in (b"data: a\n\n", b"\n\n", b""):
        with pytest.raises(FramingError):
            decoder.feed(data)


def test_an_endless_comment_is_refused_too() -> None:
    decoder = sse.decoder(1000)
    decoder.feed(b":" * 1000)
    with pytest.raises(FramingError):
        decoder.feed(b":")


# -- encoding


@pytest.mark.parametrize(
    "frame",
    [
        SSEFrame("a\nb"),
        SSEFrame("a\rb"),
        SSEFrame(""),
        SSEFrame("\ud800"),
        SSEFrame(id="a\nb"),
        SSEFrame(id="a\r"),
        SSEFrame(id="a\0"),
        SSEFrame(id="\udfff"),
        SSEFrame(retry=-1),
    ],
)
def test_what_cannot_be_carried_is_not_encoded(frame: SSEFrame) -> None:
    with pytest.raises(FramingError):
        sse.encode(frame)


def test_encode_writes_what_a_reader_expects() -> None:
    assert sse.encode(SSEFrame(data=b"[DONE]")) == b"data: [DONE]\n\n"
    assert (
        sse.encode(SSEFrame("add", b"1\n2", "7", 10))
        == b"event: add\nid: 7\nretry: 10\ndata: 1\ndata: 2\n\n"
    )


def test_a_carriage_return_in_data_cannot_break_out_of_its_event() -> None:
    encoded = sse.encode(SSEFrame(data=b"a\r\rid: 1\r\nb"))
    assert sse.decode(encoded) == [SSEFrame(data=b"a\n\nid: 1\nb")]


# -- properties


def as_the_standard_says(stream: bytes) -> list[SSEFrame]:
    """Section 9.2.6 line by line, slowly: what the fast reader is compared with."""
    frames: list[SSEFrame] = []
    fields: dict[str, bytes] = {}
    data: list[bytes] = []
    if stream.startswith(b"\xef\xbb\xbf"):
        stream = stream[3:]
    lines = stream.splitlines(keepends=True)
    for line in lines:
        text = line.rstrip(b"\r\n")
        if text == line:
            break  # the end of the file before the end of the line
        if not text:
            if fields or data:
                frames.append(
                    SSEFrame(
                        fields.get("event", b"").decode("utf-8", "replace")
                        or "message",
                        b"\n".join(data) if data else None,
                        fields["id"].decode("utf-8", "replace")
                        if "id" in fields
                        else None,
                        int(fields["retry"]) if "retry" in fields else None,
                    )
                )
            fields, data = {}, []
            continue
        name, _, value = text.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            data.append(value)
        elif (
            name == b"event"
            or (name == b"id" and b"\0" not in value)
            or (name == b"retry" and value.isdigit())
        ):
            fields[name.decode()] = value
    return frames


PIECES = [
    *(b"\n", b"\r", b"\r\n", b"\n\n", b" ", b":", b"\0", b"\xff", b"7", b"x"),
    *(b"data", b"data: ", b"data:", b"event: ", b"event", b"id: ", b"retry: "),
    *(b"\xef\xbb\xbf", b"data: {}\n\n", b"event: a\ndata: b\n\n", b"Data: "),
]
streams = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)


def cut(stream: bytes, at: list[int]) -> list[bytes]:
    """``stream`` cut at these places, where they are within it."""
    ends = sorted({min(end, len(stream)) for end in at} | {0, len(stream)})
    return [
        stream[start:end] for start, end in zip(ends, [*ends[1:], None], strict=True)
    ]


@given(streams, st.lists(st.integers(0, 100)))
@example(b"\xef\xbb\xbf\ndata: a\r\n\r\ndata: b\r\r\n", [10, 11, 12])
def test_any_bytes_in_any_cut_give_the_frames_of_the_standard(
    stream: bytes, at: list[int]
) -> None:
    expected = as_the_standard_says(stream)
    assert read(*cut(stream, at)) == expected
    assert read(*single_bytes(stream)) == expected
    frames, rest = sse.decode_buf(stream)
    assert frames == expected
    complete, split = sse.split_buf(stream)
    assert (complete + rest, rest) == (stream, split)
    if sse.whole(stream):
        assert rest == b""


@given(st.binary(), st.lists(st.integers(0, 50)), st.integers(1, 40))
def test_no_bytes_make_the_decoder_raise_anything_but_framing_errors(
    stream: bytes, at: list[int], limit: int
) -> None:
    decoder = sse.decoder(limit)
    try:
        for data in cut(stream, at):
            decoder.feed(data)
    except FramingError:
        assert len(stream) > limit


@given(streams, st.lists(st.integers(0, 100)), st.integers(3, 40))  # 3: a BOM fits
def test_what_the_limit_lets_through_does_not_depend_on_the_cut(
    stream: bytes, at: list[int], limit: int
) -> None:
    def outcome(reads: list[bytes]) -> tuple[list[SSEFrame], bool]:
        decoder, frames = sse.decoder(limit), []
        try:
            for data in reads:
                frames += decoder.feed(data)
        except FramingError as error:
            return frames + error.frames, True
        return frames, False

    assert (
        outcome(cut(stream, at)) == outcome([stream]) == outcome(single_bytes(stream))
    )


line = st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=20)
frames = st.builds(
    SSEFrame,
    line.filter(bool),
    st.none() | st.binary(max_size=50).filter(lambda data: b"\r" not in data),
    st.none() | line.filter(lambda text: "\0" not in text),
    st.none() | st.integers(0, 2**63),
)


@given(st.lists(frames, max_size=5))
def test_decoding_is_the_inverse_of_encoding(sent: list[SSEFrame]) -> None:
    encoded = b"".join(map(sse.encode, sent))
    assert sse.decode(encoded) == sent
    assert read(*single_bytes(encoded)) == sent
