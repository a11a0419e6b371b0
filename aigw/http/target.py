"""
What a request is addressed to: target and host, checked and normalised. Pure.
"""

from __future__ import annotations

import re

from aigw.errors import BadRequest
from aigw.model.headers import Headers

#: RFC 9112, section 3.2.2: what proxies are sent, and servers must accept.
_ABSOLUTE = re.compile(rb"[Hh][Tt][Tt][Pp][Ss]?://([^/?#]+)")
#: RFC 3986, sections 3.3 and 3.4: pchar, slash, question mark; and brackets, which
#: clients leave as they are in ``?include[]=`` and which mean nothing else there.
_TARGET = re.compile(rb"/(?:[!$&-;=?-\[\]_a-z~]|%[0-9A-Fa-f]{2})*+\Z")
#: RFC 3986, section 3.2.2 and 3.2.3: name, IPv4 or bracketed literal; port.
_HOST = re.compile(
    rb"((?:[!$&-.0-9;=A-Z_a-z~]|%[0-9A-Fa-f]{2})*?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?\Z"
)


def origin_form(target: bytes) -> bytes:
    """
    The target in origin form: an absolute one loses its scheme and authority.

    :raises BadRequest: it is neither, has a fragment, or holds what a URI cannot.
    """
    if not target.startswith(b"/"):
        match = _ABSOLUTE.match(target)
        if match is None:
            raise BadRequest("the request target is neither origin nor absolute form")
        target = target[match.end() :]
        if not target.startswith(b"/"):
            target = b"/" + target
    if _TARGET.match(target) is None:
        raise BadRequest("the request target holds characters that a URI cannot have")
    return target


def authority_of(target: bytes) -> bytes | None:
    """Host and port of a target in absolute form; None of any other."""
    match = _ABSOLUTE.match(target)
    return None if match is None else match[1]


def host_of(headers: Headers) -> str:
    """
    The host the request names: lower case, without port; ``""`` where it names none.

    :raises BadRequest: it is named more than once, or malformed.
    """
    values = [value for name, value in headers if name == b"host"]
    if not values:
        return ""
    match = _HOST.match(values[0])
    if len(values) > 1 or match is None:
        raise BadRequest("the Host field is repeated or malformed")
    return match[1].decode("ascii").lower()
