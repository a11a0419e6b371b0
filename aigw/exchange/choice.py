"""In which dialect a provider is asked: the client's own, or one to convert to."""

from __future__ import annotations

from aigw.dialects import Dialects
from aigw.interfaces import IDialect, IProvider
from aigw.interfaces.chat import IChatDialect
from aigw.model.instance import Instance

#: What embeddings are converted to; all that is no chat has this way alone.
_VECTORS = {"openai-embeddings": "vertex-predict"}


def spoken_to(
    dialect: IDialect,
    provider: IProvider,
    instance: Instance,
    model: str,
    dialects: Dialects,
) -> str | None:
    """
    The name of the dialect in which to ask ``instance`` for what its client asks in
    ``dialect``: the same where the provider speaks it; None where nothing that it
    speaks can say it.

    ``provider_conf.dialect``, where it is written, decides of all chat.

    :param model: as the provider will be asked for it.
    :param dialects: all there are.
    """
    name = dialect.name
    if name == "passthrough":
        return name
    chosen = instance.provider_conf.get("dialect")
    if chosen is not None and IChatDialect.providedBy(dialect):
        known = chosen in provider.dialects and _chats(chosen, dialects)
        return chosen if known else None
    spoken = provider.speaks(instance, model)
    if name in spoken:
        return name
    if not IChatDialect.providedBy(dialect):
        vectors = _VECTORS.get(name)
        return vectors if vectors in spoken else None
    return next((other for other in spoken if _chats(other, dialects)), None)


def _chats(name: str, dialects: Dialects) -> bool:
    """Whether calls can be converted to the dialect of that name."""
    if name not in dialects.known():
        return False
    return bool(IChatDialect.providedBy(dialects.get(name)))
