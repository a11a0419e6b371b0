"""The signers keep their promises, and broken ones are found out."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface import implementer

from aigw.interfaces import ISigner
from aigw.model.credential import AwsKeys, BearerToken
from aigw.model.outbound import Outbound
from aigw.signing.bearer import Bearer
from aigw.signing.sigv4 import SigV4
from aigw.testing.signer import check_signer


@pytest.mark.parametrize(
    ("signer", "credentials"),
    [
        (SigV4("bedrock", "eu-west-1"), AwsKeys("a", "b")),
        (SigV4("bedrock", "eu-west-1"), AwsKeys("a", "b", "token")),
        (Bearer(), BearerToken("token")),
    ],
)
def test_a_signer_keeps_the_promises(signer: ISigner, credentials: Any) -> None:
    check_signer(signer, credentials)


@implementer(ISigner)
class SignsNothing:
    def sign(self, outbound: Outbound, credentials: Any, now: float) -> Outbound:
        return outbound


@implementer(ISigner)
class SignsInPlace:
    def sign(self, outbound: Outbound, credentials: Any, now: float) -> Outbound:
        outbound.headers.append((b"authorization", b"x"))
        return outbound


@implementer(ISigner)
class SignsTwice(Bearer):
    def sign(self, outbound: Outbound, credentials: Any, now: float) -> Outbound:
        signed = super().sign(outbound, credentials, now)
        signed.headers.append(signed.headers[-1])
        return signed


@pytest.mark.parametrize("broken", [SignsNothing, SignsInPlace, SignsTwice])
def test_a_broken_promise_is_found(broken: Any) -> None:
    with pytest.raises(AssertionError):
        check_signer(broken(), BearerToken("token"))
