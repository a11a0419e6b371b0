"""AWS event streams, against their specification and against botocore."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from runpy import run_path
from struct import pack, pack_into
from typing import Any
from uuid import UUID
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from aigw.errors import FramingError
from aigw.framing import EventStream, Int8, Int16, Int32, Int64
from aigw.model.frame import EventStreamFrame
from aigw.testing.framing import (
    check_framing,
    feed_all,
    single_bytes,
    until_refused,
)

FIXTURES = Path(__file__).parents[2] / "fixtures" / "framing"
KIB = 1024
MIB = 1024 * KIB

eventstream = EventStream()


def fixture(name: str) -> bytes:
    return (FIXTURES / f"{name}.eventstream").read_bytes()


def message(headers: bytes, payload: bytes = b"") -> bytes:
    """A message with right lengths and checksums and whatever headers."""
    lengths = pack(">II", len(headers) + len(payload) + 16, len(headers))
    data = lengths + pack(">I", crc32(lengths)) + headers + payload
    return data + pack(">I", crc32(data))


def prelude(total: int, headers: int) -> bytes:
    """A prelude with a right checksum and whatever lengths."""
    lengths = pack(">II", total, headers)
    return lengths + pack(">I", crc32(lengths))


def string(name: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + b"\x07" + pack(">H", len(value)) + value


def typed(headers: dict[str, Any]) -> list[tuple[str, type, Any]]:
    """Headers with their types: an Int8 equals an Int16 of the same value."""
    return [(name, type(value), value) for name, value in headers.items()]


def test_eventstream_keeps_the_promises_of_a_framing() -> None:
    headers = {":message-type": "event", ":event-type": "contentBlockDelta"}
    check_framing(
        eventstream,
        [
            EventStreamFrame(headers, b'{"delta": {"text": "a"}}'),
            EventStreamFrame(headers, b'{"delta": {"text": "b"}}'),
            EventStreamFrame(),
            EventStreamFrame({"a": Int8(1), "b": b"\0", "c": True}),
            EventStreamFrame({}, b"payload alone"),
        ],
        bad=b"\0" * 12,
        large=EventStreamFrame({"a": "b"}, b"x" * 512 * KIB),
    )


# -- the fixtures


def test_all_ten_types_are_read_as_the_specification_has_them() -> None:
    [frame] = eventstream.decode(fixture("all-types"))
    moment = datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=UTC)
    assert typed(frame.headers) == [
        ("true", bool, True),
        ("false", bool, False),
        ("byte", Int8, -128),
        ("short", Int16, -32768),
        ("integer", Int32, -(2**31)),
        ("long", Int64, -(2**63)),
        ("bytes", bytes, b"\x00\xff\x00"),
        ("string", str, "Größe 漢"),
        ("timestamp", datetime, moment),
        ("uuid", UUID, UUID(bytes=bytes(range(16)))),
    ]
    assert frame.payload == b"payload"
    assert frame.headers["timestamp"].utcoffset() == timedelta(0)


@pytest.mark.parametrize("name", ["all-types", "converse", "exception", "empty"])
def test_encode_gives_back_the_bytes_of_each_fixture(name: str) -> None:
    data = fixture(name)
    assert b"".join(map(eventstream.encode, eventstream.decode(data))) == data


def test_a_wrong_message_checksum_keeps_the_message_before_it() -> None:
    data = fixture("corrupt-second")
    for reads in ([data], single_bytes(data)):
        [good] = until_refused(eventstream.decoder(), reads)
        assert good.headers[":event-type"] == "messageStart"
    with pytest.raises(FramingError) as refused:
        eventstream.decode_buf(data)
    assert refused.value.frames == refused.value.events == [good]


def test_the_fixtures_are_those_their_script_makes() -> None:
    made = run_path(str(FIXTURES / "make.py"))
    assert fixture("all-types") == made["ALL_TYPES"]
    assert fixture("converse") == made["CONVERSE"]
    assert fixture("exception") == made["EXCEPTION"]


# -- the bounds


@pytest.mark.parametrize("at", range(12))
def test_a_prelude_with_a_flipped_bit_is_refused(at: int) -> None:
    data = bytearray(fixture("exception"))
    data[at] ^= 0x10
    with pytest.raises(FramingError, match="checksum"):
        eventstream.decoder().feed(bytes(data[:12]))
    with pytest.raises(FramingError, match="checksum"):
        eventstream.split_buf(bytes(data))


@pytest.mark.parametrize(
    ("total", "headers"),
    [
        (0, 0),
        (15, 0),
        (16, 1),
        (116, 101),
        (2**32 - 1, 0),
        (16 + 128 * KIB + 1, 128 * KIB + 1),
        (16 + 24 * MIB + 1, 0),
        (16 + 24 * MIB + 1 + 100, 100),
    ],
)
def test_a_prelude_out_of_bounds_is_refused_at_once(total: int, headers: int) -> None:
    good = fixture("empty")
    decoder = eventstream.decoder()
    with pytest.raises(FramingError) as refused:
        decoder.feed(good + prelude(total, headers))
    assert refused.value.frames == [EventStreamFrame()]
    with pytest.raises(FramingError, match="spent"):
        decoder.feed(good)
    with pytest.raises(FramingError):
        eventstream.split_buf(good + prelude(total, headers))


@pytest.mark.parametrize(
    ("total", "headers"), [(16 + 128 * KIB, 128 * KIB), (16 + 24 * MIB, 0)]
)
def test_a_prelude_at_its_bounds_waits_for_the_rest(total: int, headers: int) -> None:
    decoder = eventstream.decoder()
    assert decoder.feed(prelude(total, headers)) == []
    assert decoder.pending == 12


@pytest.mark.parametrize(
    ("what", "headers"),
    [
        ("name", b"\x00\x00"),
        ("repeated", string(b"a", b"1") + string(b"a", b"1")),
        ("type", b"\x01a\x0a"),
        ("short", b"\x05a"),
        ("short", b"\x01a"),
        ("short", b"\x01a\x02"),
        ("short", b"\x01a\x05\x00"),
        ("short", b"\x01a\x07\x00"),
        ("short", b"\x01a\x07\x00\x02a"),
        ("short", b"\x01a\x09" + b"\0" * 15),
        ("32768", string(b"a", b"x" * 32768)),
        ("UTF-8", string(b"a", b"\xff")),
        ("UTF-8", string(b"\xff", b"a")),
        ("range", b"\x01a\x08" + pack(">q", 2**63 - 1)),
        ("range", b"\x01a\x08" + pack(">q", -(2**63))),
        ("range", b"\x01a\x08" + pack(">q", 253402300800000)),
    ],
)
def test_malformed_headers_are_refused(what: str, headers: bytes) -> None:
    good = message(string(b"a", b"b"))
    for reads in ([good + message(headers)], single_bytes(good + message(headers))):
        found = until_refused(eventstream.decoder(), reads)
        assert found == [EventStreamFrame({"a": "b"})]
    with pytest.raises(FramingError, match=what):
        eventstream.decode(message(headers))


def test_the_longest_name_and_value_are_read() -> None:
    name, value = "n" * 255, "v" * 32767
    data = message(string(name.encode(), value.encode()))
    frame = EventStreamFrame({name: value})
    assert eventstream.decode(data) == [frame]
    assert eventstream.encode(frame) == data


@pytest.mark.parametrize("milliseconds", [-62135596800000, 253402300799999])
def test_timestamps_reach_as_far_as_datetime(milliseconds: int) -> None:
    data = message(b"\x01a\x08" + pack(">q", milliseconds))
    [frame] = eventstream.decode(data)
    assert frame.headers["a"].year in (1, 9999)
    assert eventstream.encode(frame) == data


def test_a_message_cut_short_is_an_error_of_a_complete_body_alone() -> None:
    data = fixture("converse")
    frames, rest = eventstream.decode_buf(data[:-1])
    assert len(frames) == 4
    complete, remainder = eventstream.split_buf(data[:-1])
    assert (complete + rest, remainder) == (data[:-1], rest)
    with pytest.raises(FramingError, match="cut short") as refused:
        eventstream.decode(data[:-1])
    assert refused.value.frames == frames
    decoder = eventstream.decoder()
    assert feed_all(decoder, [data[:-1]]) == frames
    assert decoder.pending == len(rest)


def test_whole_leaves_the_checksums_to_the_decoder() -> None:
    assert not eventstream.whole(fixture("converse"))


def test_a_header_block_seen_before_belongs_to_each_frame_alone() -> None:
    framing = EventStream()
    data = message(string(b"a", b"b"))
    [first] = framing.decode(data)
    first.headers["a"] = "changed"
    [second] = framing.decode(data)
    assert second.headers == {"a": "b"}


def test_header_blocks_without_end_are_forgotten() -> None:
    framing = EventStream()
    for number in range(3000):
        value = str(number).encode()
        [frame] = framing.decode(message(string(b"n", value)))
        assert frame.headers == {"n": value.decode()}
    assert len(framing._blocks._known) <= 256


# -- encoding


@pytest.mark.parametrize(
    "headers",
    [
        {"": "a"},
        {"n" * 256: "a"},
        {"ü" * 128: "a"},
        {"a": "v" * 32768},
        {"a": b"v" * 32768},
        {"a": Int8(128)},
        {"a": Int8(-129)},
        {"a": Int16(2**15)},
        {"a": Int32(2**31)},
        {"a": Int64(2**63)},
        {"a": 2**63},
        {"a": datetime(2024, 1, 1)},
        {"a": 1.5},
        {"a": None},
        {"\ud800": "a"},
        {"a": "\ud800"},
        {str(at): b"v" * 32767 for at in range(5)},
    ],
)
def test_headers_that_cannot_be_carried_are_not_encoded(
    headers: dict[str, Any],
) -> None:
    with pytest.raises(FramingError):
        eventstream.encode(EventStreamFrame(headers))


def test_a_payload_of_24_mib_is_carried_and_a_byte_more_is_not() -> None:
    frame = EventStreamFrame({}, bytes(24 * MIB))
    assert eventstream.decode(eventstream.encode(frame)) == [frame]
    with pytest.raises(FramingError):
        eventstream.encode(EventStreamFrame({}, bytes(24 * MIB + 1)))


def test_an_int_of_no_width_is_an_integer_or_else_a_long() -> None:
    data = eventstream.encode(EventStreamFrame({"a": 2**31 - 1, "b": -(2**31) - 1}))
    [frame] = eventstream.decode(data)
    assert typed(frame.headers) == [
        ("a", Int32, 2**31 - 1),
        ("b", Int64, -(2**31) - 1),
    ]


def test_a_timestamp_of_any_zone_keeps_its_moment_to_the_millisecond() -> None:
    moment = datetime(2024, 1, 1, 1, 2, 3, 456789, tzinfo=timezone(timedelta(hours=2)))
    [frame] = eventstream.decode(eventstream.encode(EventStreamFrame({"a": moment})))
    assert frame.headers["a"] == moment.replace(microsecond=456000)


# -- properties

sized = st.one_of(
    st.integers(-(2**7), 2**7 - 1).map(Int8),
    st.integers(-(2**15), 2**15 - 1).map(Int16),
    st.integers(-(2**31), 2**31 - 1).map(Int32),
    st.integers(-(2**63), 2**63 - 1).map(Int64),
)
moments = st.integers(-62135596800000, 253402300799999).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
text = st.text(st.characters(codec="utf-8"), max_size=40)
values = st.one_of(
    st.booleans(), sized, st.binary(max_size=40), text, moments, st.uuids()
)
messages = st.builds(
    EventStreamFrame,
    st.dictionaries(text.filter(bool), values, max_size=5),
    st.binary(max_size=100),
)


@given(st.lists(messages, max_size=4), st.integers(1, 50))
def test_decoding_is_the_inverse_of_encoding_in_any_cut(
    sent: list[EventStreamFrame], size: int
) -> None:
    stream = b"".join(map(eventstream.encode, sent))
    reads = [stream[at : at + size] for at in range(0, len(stream), size)]
    for found in (eventstream.decode(stream), feed_all(eventstream.decoder(), reads)):
        assert found == sent
        assert [typed(frame.headers) for frame in found] == [
            typed(frame.headers) for frame in sent
        ]


@given(st.lists(messages, max_size=4))
def test_botocore_reads_what_is_encoded(sent: list[EventStreamFrame]) -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(b"".join(map(eventstream.encode, sent)))
    found = [(event.headers, event.payload) for event in buffer]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)

    def plain(value: object) -> object:
        """As botocore has it: it knows neither timestamps nor UUIDs."""
        if isinstance(value, datetime):
            return (value - epoch) // timedelta(milliseconds=1)
        return value.bytes if isinstance(value, UUID) else value

    assert found == [
        ({name: plain(value) for name, value in frame.headers.items()}, frame.payload)
        for frame in sent
    ]


@given(st.lists(messages, min_size=1, max_size=3), st.data())
def test_a_flipped_bit_anywhere_never_changes_what_is_read(
    sent: list[EventStreamFrame], data: st.DataObject
) -> None:
    stream = bytearray(b"".join(map(eventstream.encode, sent)))
    bit = data.draw(st.integers(0, len(stream) * 8 - 1))
    stream[bit // 8] ^= 1 << bit % 8
    found = until_refused(eventstream.decoder(), [bytes(stream)])
    assert found == sent[: len(found)]
    assert len(found) < len(sent)


@given(st.binary(max_size=300), st.booleans(), st.integers(1, 30))
def test_no_bytes_make_the_decoder_raise_anything_but_framing_errors(
    noise: bytes, sealed: bool, size: int
) -> None:
    stream = message(noise) if sealed else noise  # sealed: the noise is in the headers
    decoder = eventstream.decoder()
    try:
        for at in range(0, len(stream), size):
            decoder.feed(stream[at : at + size])
    except FramingError:
        return
    assert decoder.pending in (0, len(stream))


def test_a_length_that_lies_is_not_believed_without_its_checksum() -> None:
    data = bytearray(fixture("empty") * 2)
    pack_into(">I", data, 0, 32)  # the first claims both
    with pytest.raises(FramingError, match="checksum"):
        eventstream.decode(bytes(data))
