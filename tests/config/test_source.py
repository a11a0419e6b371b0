"""Text of a file into plain objects."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw.config.source import parse, scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-17", -17),
        ("007", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e-3", 0.001),
        ("1E5", 1e5),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("<<", "<<"),
        ("tcp:9080", "tcp:9080"),
    ],
)
def test_scalars_are_those_of_the_core_schema(text: str, value: object) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)
    if text != "<<":
        assert parse(f"a: {text}".encode()) == {"a": value}


def test_keys_are_strings_whatever_they_look_like() -> None:
    assert parse(b"{1: a, true: b, null: c, 1.5: d}") == {
        "1": "a",
        "true": "b",
        "null": "c",
        "1.5": "d",
    }


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3, column 1: "),
        ("x:\n  - {a: 1, a: 2}\n", "line 2, column 12: "),
        ('{"a": {"b": 1, "b": 2}}', ""),
        ("1: a\n'1': b\n", "line 2, column 1: "),
    ],
)
def test_a_repeated_key_is_refused(text: str, where: str) -> None:
    with pytest.raises(ValueError, match="repeated") as refused:
        parse(text.encode())
    assert str(refused.value).startswith(f"{where}the key ")


def test_a_merged_key_may_be_overridden() -> None:
    text = b"base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\n"
    assert parse(text)["use"] == {"x": 1, "y": 3}


def test_json_is_read_as_json() -> None:
    assert parse(b'\xef\xbb\xbf{"a": "\\ud83d\\ude00", "b": 1e3}') == {
        "a": "\U0001f600",
        "b": 1000.0,
    }
    with pytest.raises(ValueError, match="NaN"):
        parse(b'{"a": NaN}')
    with pytest.raises(ValueError, match="1e999 is out of range"):
        parse(b'{"a": 1e999}')
    with pytest.raises(ValueError, match="line 1, column 2: not JSON"):
        parse(b"{a: 1}", as_json=True)


def test_a_flow_mapping_that_is_no_json_is_yaml() -> None:
    assert parse(b"{a: 1}") == {"a": 1}


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe",
        b"a: \x00",
        b"a: [1",
        b"a: b: c",
        b"a: !!python/object:os.system x",
        b"a: !!binary aGVsbG8=",
        b"a: !!timestamp 2024-01-01",
        b"a: *nowhere",
        b"? [a]\n: b",
        b"--- a\n--- b\n",
        b"[" * 5000,
        b'{"a":' * 5000,
    ],
)
def test_what_is_neither_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # any of ours will do
        parse(data)
    assert type(refused.value) is ValueError
    assert str(refused.value)


def test_an_error_does_not_quote_the_text_around_it() -> None:
    with pytest.raises(ValueError, match="line 2") as refused:
        parse(b"a: 1\nkey: sk-secret: x\n")
    assert "sk-secret" not in str(refused.value)


def test_a_tab_that_indents_is_told_what_to_do_about() -> None:
    with pytest.raises(ValueError, match=r"line 2, column 1: .*with blanks"):
        parse(b"routes:\n\t- uri: /a\n")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=60)
@given(st.dictionaries(st.text(max_size=4), _JSON, max_size=3))
def test_every_json_object_is_read_back(tree: dict[str, object]) -> None:
    assert parse(json.dumps(tree).encode()) == tree
