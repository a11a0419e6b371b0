"""What is sent to an instance: in its provider's dialect, with what may cross."""

from __future__ import annotations

from collections.abc import Mapping

from aigw.errors import BadRequest
from aigw.http.headers import query_without_credentials, towards_provider
from aigw.interfaces import IProvider
from aigw.interfaces.chat import IChatDialect
from aigw.model.call import Call
from aigw.model.instance import Instance
from aigw.model.outbound import Outbound

from .conversion import Conversion, convert, target_of
from .exchange import Exchange


class Sending:
    """Makes requests to providers. Not signed yet."""

    def __init__(self, providers: Mapping[str, IProvider]) -> None:
        self._providers = providers

    def prepare(
        self, exchange: Exchange, instance: Instance, call: Call | None = None
    ) -> tuple[Outbound, Conversion | None]:
        """
        The request to send, in a dialect the instance's provider speaks; and how that
        is spoken, where it is not the client's.

        :param call: what to ask instead of what the client asked; always converted.
        :raises BadRequest: the provider speaks nothing the call can be said in.
        """
        envelope, name = exchange.envelope, exchange.dialect.name
        provider = self._providers[instance.provider]
        conversion = None
        if name != "passthrough" and name not in provider.dialects:
            conversion = self._convert(exchange, instance)
            exchange.record.dropped_fields = conversion.rendered.dropped
            name = conversion.target.name
            envelope = conversion.envelope(envelope, provider.dialects[name])
        query = envelope.query
        if instance.has_auth:
            envelope.query = query_without_credentials(query)
        outbound = provider.prepare(envelope, name, instance)
        envelope.query = query  # the next instance may have no credential of its own
        outbound.headers = towards_provider(
            envelope.headers, outbound.headers, instance
        )
        return outbound, conversion

    def _convert(self, exchange: Exchange, instance: Instance) -> Conversion:
        """:raises BadRequest: the provider speaks nothing the call can be said in."""
        dialect, provider = exchange.dialect, self._providers[instance.provider]
        target = target_of(dialect, provider)
        if target is None or not IChatDialect.providedBy(dialect):
            spoken = ", ".join(provider.dialects)
            raise BadRequest(
                f"provider {provider.name} does not support {dialect.name} protocol "
                f"(supported: {spoken})"
            )
        if exchange.call is None:
            exchange.call = dialect.parse(exchange.envelope)
        caps: Mapping[str, str] = getattr(provider, "caps", {})
        cap = caps.get(target.name, "")
        return convert(dialect, target, exchange.call, instance, cap)

    def can(self, exchange: Exchange, instance: Instance) -> bool:
        """Whether the instance can be asked, in the client's dialect or another."""
        dialect, provider = exchange.dialect, self._providers[instance.provider]
        return (
            dialect.name == "passthrough"
            or dialect.name in provider.dialects
            or target_of(dialect, provider) is not None
        )
