"""
Every zope interface a third party may provide or be handed, one noun a file.
Each states who calls it, in which order, what it may raise and how long it lives.
None of them may block; whoever must wait returns an awaitable.
"""

from .balancer import IBalancer
from .carried import ICarriedDialect
from .chat import IChatDialect, IReader, IWriter
from .dialect import IDialect, ITap
from .downstream import IBodySource, IDownstream
from .framing import IFrameDecoder, IFraming
from .maker import IMaker
from .provider import IProvider
from .ranker import IRanker
from .recorder import IRecorder
from .signer import ICredentials, ISigner
from .upstream import IReceiver, IUpstream, IUpstreamCall
from .wheel import IAlarm, IWheel

__all__ = [
    "IAlarm",
    "IBalancer",
    "IBodySource",
    "ICarriedDialect",
    "IChatDialect",
    "ICredentials",
    "IDialect",
    "IDownstream",
    "IFrameDecoder",
    "IFraming",
    "IMaker",
    "IProvider",
    "IRanker",
    "IReader",
    "IReceiver",
    "IRecorder",
    "ISigner",
    "ITap",
    "IUpstream",
    "IUpstreamCall",
    "IWheel",
    "IWriter",
]
