"""What is sent to an instance: in its provider's dialect, with what may cross."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from aigw.dialects import Dialects
from aigw.errors import BadRequest
from aigw.http.headers import query_without_credentials, towards_provider
from aigw.interfaces import IProvider
from aigw.interfaces.chat import IChatDialect
from aigw.model.call import Call
from aigw.model.instance import Instance
from aigw.model.outbound import Outbound
from aigw.providers.lacking import lacks
from aigw.providers.request import model_of

from .choice import spoken_to
from .continuing import continuing
from .conversion import convert
from .embedding import embed
from .exchange import Exchange
from .reframing import carried, reframe
from .translation import Translation


class Sending:
    """Makes requests to providers. Not signed yet."""

    def __init__(self, providers: Mapping[str, IProvider], dialects: Dialects) -> None:
        self._providers = providers
        self._dialects = dialects

    def prepare(
        self, exchange: Exchange, instance: Instance, call: Call | None = None
    ) -> tuple[Outbound, Translation | None]:
        """
        The request to send, in a dialect the instance's provider speaks; and how that
        is spoken, where it is not the client's.

        :param call: what to ask instead, where another's answer is gone on with.
        :raises BadRequest: the provider speaks nothing the call can be said in.
        """
        envelope, dialect = exchange.envelope, exchange.dialect
        provider = self._providers[instance.provider]
        if lacks(provider.name, envelope.path):
            raise BadRequest(
                f"provider {provider.name} has no {envelope.path[:100]}",
                reason="endpoint",
            )
        name = self._spoken(exchange, instance)
        if name is None:
            spoken = ", ".join(provider.dialects)
            raise BadRequest(
                f"provider {provider.name} does not support {dialect.name} protocol "
                f"(supported: {spoken})"
            )
        translation: Translation | None = None
        if name != dialect.name or exchange.continues:
            try:
                translation = self._translate(exchange, instance, name, call)
            except BadRequest:
                if name != dialect.name or call is not None:
                    raise  # else it goes as it came, and is not gone on with
        exchange.record.dropped_fields = ()
        if translation is not None:
            exchange.record.dropped_fields = translation.rendered.dropped
            envelope = translation.envelope(envelope, provider.dialects[name])
        if instance.has_auth and envelope.query:
            query = query_without_credentials(envelope.query)
            envelope = replace(envelope, query=query)
        outbound = provider.prepare(envelope, name, instance)
        outbound.headers = towards_provider(
            envelope.headers, outbound.headers, instance
        )
        return outbound, translation

    def can(self, exchange: Exchange, instance: Instance) -> bool:
        """Whether the instance can be asked, in the client's dialect or another."""
        if lacks(instance.provider, exchange.envelope.path):
            return False
        return self._spoken(exchange, instance) is not None

    def _spoken(self, exchange: Exchange, instance: Instance) -> str | None:
        provider = self._providers[instance.provider]
        model = model_of(exchange.envelope, instance)
        return spoken_to(exchange.dialect, provider, instance, model, self._dialects)

    def _translate(
        self, exchange: Exchange, instance: Instance, name: str, call: Call | None
    ) -> Translation:
        """
        :param name: the dialect to speak.
        :raises BadRequest: it cannot be said in that.
        """
        dialect = exchange.dialect
        if not IChatDialect.providedBy(dialect):
            return embed(dialect, exchange.envelope)
        target = IChatDialect(self._dialects.get(name))
        if call is None:
            if carried(dialect) == carried(target) and not exchange.continues:
                return reframe(dialect, target, exchange.envelope)
            if exchange.call is None:
                exchange.call = dialect.parse(exchange.envelope)
            call = exchange.call
        provider = self._providers[instance.provider]
        converted = convert(dialect, target, call, instance, provider)
        return continuing(converted) if exchange.continues else converted
