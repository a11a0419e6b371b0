"""Signs requests of instances whose ``auth`` asks for it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool

from aigw.errors import CredentialsFailed
from aigw.interfaces import IUpstream
from aigw.model.credential import AwsKeys
from aigw.model.headers import first
from aigw.model.instance import Instance
from aigw.model.outbound import Outbound
from aigw.model.route import Route

from .bearer import Bearer

if TYPE_CHECKING:
    from .chain import Chain
    from .gcp import ServiceAccount

#: Bodies larger than this are hashed in a thread: 1 MiB takes about 1 ms.
_LARGE: Final = 4 * 1024 * 1024

#: How many service accounts' tokens are kept.
_ACCOUNTS: Final = 4096


def load_for(routes: Iterable[Route]) -> None:
    """
    Import what signing for the instances of ``routes`` will need. That may take half a
    second, so it is done where a configuration is loaded, which a running gateway does
    in a thread.
    """
    for instance in (instance for route in routes for instance in route.instances):
        if "gcp" in instance.auth:
            import_module("aigw.signing.gcp")
        if _signs_aws(instance):
            import_module("aigw.signing.sigv4")
            if _keys(instance.auth["aws"]) is None:
                import_module("aigw.signing.chain")


class Signing:
    """
    Signs outbound requests, the last thing before they are sent.

    :param reactor: time and threads.
    :param time: Unix time, seconds.
    :param upstream: what tokens are fetched over.
    """

    def __init__(
        self, reactor: Any, time: Callable[[], float], upstream: IUpstream
    ) -> None:
        self._reactor = reactor
        self._time = time
        self._upstream = upstream
        self._chain: Chain | None = None
        self._accounts: OrderedDict[tuple[Any, ...], ServiceAccount] = OrderedDict()
        self._bearer = Bearer()

    async def sign(self, outbound: Outbound, instance: Instance) -> Outbound:
        """
        ``outbound``, signed where ``instance`` asks for it: a Google Cloud token where
        ``auth.gcp`` is there, AWS Signature Version 4 where ``auth.aws`` is and no
        Authorization (a Bedrock bearer key) is configured.

        :raises CredentialsFailed: there is nothing to sign with.
        """
        if "gcp" in instance.auth:
            account = self._account(instance)
            token = await account.current()
            return self._bearer.sign(outbound, token, self._time())
        if _signs_aws(instance):
            return await self._sign_aws(outbound, instance)
        return outbound

    def stop(self) -> None:
        """Let go of what is being fetched."""
        if self._chain is not None:
            self._chain.stop()
        for account in self._accounts.values():
            account.stop()

    async def _sign_aws(self, outbound: Outbound, instance: Instance) -> Outbound:
        from .sigv4 import SigV4  # see load_for

        region = instance.provider_conf.get("region")
        if not region:
            text = "failed to sign for aws: no region is configured"
            raise CredentialsFailed(text, reason="credentials")
        keys = _keys(instance.auth["aws"])
        if keys is None:
            keys = await self._found()
        sign = partial(SigV4("bedrock", region).sign, outbound, keys, self._time())
        if len(outbound.body) <= _LARGE:
            return sign()
        signed: Outbound = await self._in_thread(sign)
        return signed

    async def _found(self) -> AwsKeys:
        """The keys the AWS SDK finds by itself; the same for all instances."""
        if self._chain is None:
            from .chain import Botocore, Chain  # see load_for

            self._chain = Chain(Botocore(), self._reactor, self._in_thread)
        return await self._chain.current()

    def _account(self, instance: Instance) -> ServiceAccount:
        from .gcp import ServiceAccount  # see load_for
        from .post import Post

        gcp = instance.auth["gcp"]
        source = gcp["service_account_json"]
        early, longest = gcp.get("expire_early_secs", 60), gcp.get("max_ttl")
        key = source, early, longest, instance.name, instance.proxy
        account = self._accounts.get(key)
        if account is None:
            account = ServiceAccount(
                source,
                early,
                longest,
                self._reactor,
                self._time,
                self._in_thread,
                Post(self._upstream, instance.proxy),
            )
            self._accounts[key] = account
            if len(self._accounts) > _ACCOUNTS:
                self._accounts.popitem(last=False)[1].stop()
        else:
            self._accounts.move_to_end(key)
        return account

    def _in_thread(self, call: Callable[[], Any]) -> Deferred[Any]:
        return deferToThreadPool(self._reactor, self._reactor.getThreadPool(), call)


def _signs_aws(instance: Instance) -> bool:
    if "aws" not in instance.auth:
        return False
    return first(instance.auth_headers, b"authorization") is None


def _keys(aws: Mapping[str, Any]) -> AwsKeys | None:
    """The configured keys; None where the AWS SDK is to find them."""
    if "access_key_id" not in aws:
        return None
    return AwsKeys(
        aws["access_key_id"], aws["secret_access_key"], aws.get("session_token")
    )
