"""Who signs what; and what is imported for it, and when."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import Clock

from aigw.errors import CredentialsFailed
from aigw.model.headers import first
from aigw.model.instance import Instance
from aigw.model.outbound import Origin, Outbound
from aigw.signing.signing import Signing
from aigw.testing.upstream import MemoryUpstream

from .verifier import verify

SECRET = "secret"
KEYS = {"access_key_id": "AKID", "secret_access_key": SECRET}


def outbound(body: bytes = b"{}") -> Outbound:
    origin = Origin("https", "h.example", 443)
    return Outbound(origin, "POST", b"/model/m/converse", [(b"x-id", b"1")], body)


def instance(**settings: Any) -> Instance:
    settings.setdefault("provider_conf", {"region": "eu-west-1"})
    return Instance("one", "bedrock", **settings)


def verified(signed: Outbound) -> str:
    fields = [(name.decode(), value.decode()) for name, value in signed.headers]
    return verify("POST", signed.target, fields, signed.body, SECRET)[0]


@pytest_twisted.ensureDeferred
async def test_what_asks_for_no_signature_is_left_alone() -> None:
    signing = Signing(reactor, lambda: 1.8e9, MemoryUpstream(Clock()))
    request = outbound()
    assert await signing.sign(request, instance()) is request


@pytest.mark.parametrize("size", [0, 2, 4 * 1024 * 1024, 4 * 1024 * 1024 + 1])
@pytest_twisted.ensureDeferred
async def test_bodies_of_any_size_are_signed(size: int) -> None:
    signing = Signing(reactor, lambda: 1.8e9, MemoryUpstream(Clock()))
    request = outbound(b"x" * size)
    signed = await signing.sign(request, instance(auth={"aws": KEYS}))
    assert verified(signed) == "AKID/20270115/eu-west-1/bedrock"


@pytest_twisted.ensureDeferred
async def test_a_bearer_key_stands_before_a_signature() -> None:
    signing = Signing(reactor, lambda: 1.8e9, MemoryUpstream(Clock()))
    request = outbound()
    bearer = instance(
        auth={"aws": KEYS}, auth_headers=[(b"authorization", b"Bearer k")]
    )
    assert await signing.sign(request, bearer) is request


@pytest_twisted.ensureDeferred
async def test_without_a_region_nothing_can_be_signed() -> None:
    signing = Signing(reactor, lambda: 1.8e9, MemoryUpstream(Clock()))
    with pytest.raises(CredentialsFailed, match="no region"):
        await signing.sign(outbound(), instance(auth={"aws": KEYS}, provider_conf={}))


def test_signed_requests_name_the_signature_once() -> None:
    signing = Signing(reactor, lambda: 1.8e9, MemoryUpstream(Clock()))
    request = outbound()
    request.headers.append((b"authorization", b"client's"))
    sign = signing.sign(request, instance(auth={"aws": KEYS}))
    with pytest.raises(StopIteration) as done:
        sign.send(None)  # configured keys need no wait
    signed = done.value.value
    assert [name for name, _ in signed.headers].count(b"authorization") == 1
    told = first(signed.headers, b"authorization")
    assert told is not None
    assert told.startswith(b"AWS4-HMAC-SHA256")


IMPORTS = """
import sys
from aigw.config.load import load
from aigw.extensions import Extensions
import aigw.daemon, aigw.service, aigw.workers
from twisted.internet.task import Clock

def route(proxy):
    return '{"routes": [{"uri": "/x", "plugins": {"ai-proxy": %s}}]}' % proxy

def heavy():
    names = {"botocore", "botocore.session", "aigw.signing.gcp", "boto3", "urllib3"}
    return sorted(names & set(sys.modules))

extensions = Extensions(Clock())
extensions.load(route('{"provider": "openai", "auth": {}}').encode(), {})
print(heavy())
bedrock = '{"provider": "bedrock", "provider_conf": {"region": "r"}, "auth": %s}'
keys = '{"aws": {"access_key_id": "a", "secret_access_key": "b"}}'
extensions.load(route(bedrock % '{"header": {"Authorization": "x"}}').encode(), {})
print(heavy())
extensions.load(route(bedrock % keys).encode(), {})
print("botocore" in sys.modules, "aigw.signing.chain" in sys.modules)
extensions.load(route(bedrock % '{"aws": {}}').encode(), {})
print("aigw.signing.chain" in sys.modules, "aigw.signing.gcp" in sys.modules)
gcp = '{"gcp": {"service_account_json": "{}"}}'
vertex = '{"provider": "vertex-ai", "provider_conf": {"region": "r", "project_id": "p"}'
extensions.load(route(vertex + ', "auth": %s}' % gcp).encode(), {})
print("aigw.signing.gcp" in sys.modules)
"""


def test_only_what_is_configured_is_imported_and_that_when_it_is_loaded() -> None:
    run = subprocess.run(
        [sys.executable, "-c", IMPORTS],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert run.stdout.split("\n") == [
        "[]",
        "[]",
        "True False",
        "True False",
        "True",
        "",
    ], run.stdout
