"""
The reference's ``vars`` expressions (lua-resty-expr), compiled to one predicate.

A rule is a list of conditions, all of which must hold, or a logical word followed by
rules: ``["OR", ["arg_a", "==", "1"], ["http_x_b", "~~", "^c"]]``. A condition is
``[variable, operator, value]``, or ``[variable, "!", operator, value]`` for its
contrary. A variable that the request does not have equals nothing but null.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from aigw.model.envelope import Envelope

from .variables import Read, reader_of

Test = Callable[[Envelope, str], bool]
_Compare = Callable[[Any], bool]

_LOGIC = ("AND", "OR", "!AND", "!OR")


@dataclass(frozen=True, slots=True)
class Expression:
    """
    A compiled rule.

    :ivar test: called with the envelope and the peer's address.
    :ivar reads_body: whether it needs the body to have been read.
    """

    test: Test
    reads_body: bool


def compile_vars(rule: Sequence[Any]) -> Expression:
    """
    Compile a rule.

    :raises ValueError: it is none; the text says which part and why.
    """
    if not rule:
        raise ValueError("an expression must not be empty")
    first = rule[0]
    if not isinstance(first, str):
        return _joined("AND", rule)
    if first in _LOGIC:
        return _joined(first, rule[1:])
    return _condition(rule)


def _joined(word: str, rules: Sequence[Any]) -> Expression:
    if not rules:
        raise ValueError(f"{word} must be followed by at least one expression")
    for rule in rules:
        if not isinstance(rule, list):
            raise ValueError(f"{word} joins lists, but one member is none")
    parts = [compile_vars(rule) for rule in rules]
    tests = [part.test for part in parts]
    reads_body = any(part.reads_body for part in parts)
    if word == "AND" and len(tests) == 1:
        return Expression(tests[0], reads_body)
    join = all if word.endswith("AND") else any
    wanted = not word.startswith("!")

    def test(envelope: Envelope, peer: str) -> bool:
        return join(each(envelope, peer) for each in tests) is wanted

    return Expression(test, reads_body)


def _condition(rule: Sequence[Any]) -> Expression:
    name, *rest = rule
    wanted = True
    if rest[:1] == ["!"]:
        wanted = False
        rest = rest[1:]
    if len(rest) != 2 or not isinstance(rest[0], str):
        raise ValueError(
            f"the condition on {name[:64]} is not [variable, operator, value]"
        )
    operator, value = rest
    make = OPERATORS.get(operator)
    if make is None:
        raise ValueError(
            f"unknown operator {operator[:16]!r} on {name[:64]};"
            f" there are {' '.join(OPERATORS)} and ! before one"
        )
    read: Read = reader_of(name)
    try:
        compare = make(value)
    except (ValueError, re.error) as error:
        raise ValueError(f"{name[:64]} {operator}: {error}") from error

    def test(envelope: Envelope, peer: str) -> bool:
        return compare(read(envelope, peer)) is wanted

    return Expression(test, name.startswith("post_arg."))


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equals(wanted: Any) -> _Compare:
    if _is_number(wanted):
        return lambda value: _number(value) == wanted
    if isinstance(wanted, str):
        number = _number(wanted)
        return lambda value: (
            value == wanted
            or (_is_number(value) and number is not None and value == number)
        )
    if wanted is None or isinstance(wanted, bool):
        return lambda value: value is wanted
    raise ValueError("compares with a string, a number, true, false or null")


def _differs(wanted: Any) -> _Compare:
    equals = _equals(wanted)
    return lambda value: not equals(value)


def _ordered(holds: Callable[[Any, Any], bool]) -> Callable[[Any], _Compare]:
    def make(bound: Any) -> _Compare:
        if _is_number(bound):

            def compare(value: Any) -> bool:
                number = _number(value)
                return number is not None and holds(number, bound)

            return compare
        if isinstance(bound, str):
            return lambda value: isinstance(value, str) and holds(value, bound)
        raise ValueError("compares with a number or a string")

    return make


def _matches(flags: re.RegexFlag) -> Callable[[Any], _Compare]:
    def make(pattern: Any) -> _Compare:
        if not isinstance(pattern, str):
            raise ValueError("takes a regular expression")
        search = re.compile(pattern, flags).search

        def compare(value: Any) -> bool:
            if _is_number(value):
                value = str(value)
            return isinstance(value, str) and search(value) is not None

        return compare

    return make


def _among(choices: Any) -> _Compare:
    if not isinstance(choices, list):
        raise ValueError("takes a list")
    compares = [_equals(choice) for choice in choices]
    return lambda value: any(compare(value) for compare in compares)


def _holds(member: Any) -> _Compare:
    equals = _equals(member)
    return lambda value: isinstance(value, list) and any(map(equals, value))


def matches_networks(networks: Any) -> _Compare:
    """
    Whether a value is an address in one of ``networks`` (addresses or CIDR ranges; a
    single one may be given alone).

    :raises ValueError: one is no network.
    """
    given = [networks] if isinstance(networks, str) else networks
    if not isinstance(given, list | tuple) or not given:
        raise ValueError("takes a list of addresses or CIDR ranges")
    ranges = [ip_network(str(network), strict=False) for network in given]

    def compare(value: Any) -> bool:
        try:
            address = ip_address(value)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(address in each or mapped in each for each in ranges)

    return compare


#: What compares, by name.
OPERATORS: dict[str, Callable[[Any], _Compare]] = {
    "==": _equals,
    "~=": _differs,
    ">": _ordered(lambda value, bound: value > bound),
    ">=": _ordered(lambda value, bound: value >= bound),
    "<": _ordered(lambda value, bound: value < bound),
    "<=": _ordered(lambda value, bound: value <= bound),
    "~~": _matches(re.NOFLAG),
    "~*": _matches(re.IGNORECASE),
    "in": _among,
    "has": _holds,
    "ipmatch": matches_networks,
}
