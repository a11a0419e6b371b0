"""Who the client is: the socket's peer, or whom a trusted proxy names."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address, ip_network

from aigw.model.headers import Headers


class Proxies:
    """
    The proxies whose ``X-Forwarded-For`` is believed.

    :param networks: addresses and CIDR ranges.
    """

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [ip_network(text, strict=False) for text in networks]
        self.trusted = lru_cache(maxsize=1024)(self._trusted)

    def client(self, peer: str, headers: Headers) -> str:
        """
        The client of a request.

        Each proxy appends whom it was asked by; so the list is read from its end, and
        the first address that is not a trusted proxy's is the client. What stands
        before it is the client's own word.

        :param peer: the socket's peer, without port.
        """
        if not self._networks or not self.trusted(peer):
            return peer
        fields = [value for name, value in headers if name == b"x-forwarded-for"]
        client = peer
        for entry in reversed(b",".join(fields).split(b",")):
            told = _address(entry.strip().decode("latin-1"))
            if told is None:
                break
            client = told
            if not self.trusted(told):
                break
        return client

    def _trusted(self, text: str) -> bool:
        address = _address(text)
        if address is None:
            return False
        parsed = ip_address(address)
        return any(parsed in network for network in self._networks)


def _address(text: str) -> str | None:
    """An address without port and brackets, IPv4 where it is mapped; or None."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)
