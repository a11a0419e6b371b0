"""Providers: vendors' APIs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zope.interface import Attribute, Interface

from aigw.model.envelope import Envelope
from aigw.model.headers import Headers
from aigw.model.instance import Instance
from aigw.model.outbound import Outbound
from aigw.model.outcome import Judgement


class IProvider(Interface):
    """
    A vendor's API. One instance serves the process and keeps no state of an exchange;
    everything of one configured use comes with ``instance``.
    """

    name: str = Attribute("The name used in configuration.")
    dialects: Mapping[str, str] = Attribute(
        "The dialects it speaks: name to the path it is spoken at. Where that holds "
        "``{model}``, a request to the path as it stands here names its model, and "
        "whether it asks for a stream, in its body (``model``, ``stream``)."
    )

    caps: Mapping[str, str] = Attribute(
        "For dialects that cap output tokens, the field that does so "
        "here; a dot leads into an object. Calls converted to it use that name."
    )
    extensions: frozenset[str] = Attribute(
        "What vendors added to ``openai-chat`` and this one takes, in the words of "
        ":attr:`aigw.model.rendered.Target.extensions`."
    )
    host: str | None = Attribute(
        "The vendor's own host; None where an instance must name an endpoint."
    )

    def speaks(instance: Instance, model: str) -> Sequence[str]:
        """
        The dialects in which ``instance`` can be asked for ``model``, names of
        ``dialects``. A call in any other is converted to the first that it can be
        converted to, unless ``provider_conf.dialect`` names one. Asked for each attempt
        and for each candidate, so it is quick.

        :param model: as the provider will be asked for it, ``""`` where none is named.
        """

    def prepare(envelope: Envelope, dialect: str, instance: Instance) -> Outbound:
        """
        Make the request to send: body rules in the reference's order (section 1.4),
        target, headers that cross, credentials of ``auth``. Not signed.

        :param envelope: the request in ``dialect``; not changed.
        :param dialect: one of ``dialects``, or ``passthrough``.
        :raises BadRequest: no upstream path or host can be made of it.
        """

    def judge(status: int, headers: Headers, body: bytes | None) -> Judgement:
        """What an answer's head, and its error body where one was read, mean."""
