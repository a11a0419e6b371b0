"""Bearer tokens (RFC 6750, section 2.1). Pure."""

from __future__ import annotations

from msgspec.structs import replace
from zope.interface import implementer

from aigw.interfaces import ISigner
from aigw.model.credential import BearerToken
from aigw.model.outbound import Outbound

_FIELD = b"authorization"


@implementer(ISigner)
class Bearer:
    """Sends a token in ``authorization``."""

    def sign(
        self, outbound: Outbound, credentials: BearerToken, now: float
    ) -> Outbound:
        headers = [pair for pair in outbound.headers if pair[0] != _FIELD]
        headers.append((_FIELD, b"Bearer " + credentials.value.encode("latin-1")))
        return replace(outbound, headers=headers)
