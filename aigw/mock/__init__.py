"""
A provider that misbehaves on request: real bytes of the vendors' APIs, sent at any
pace, cut, corrupted, stalled or refused as the model's name asks (docs/mock.md).

It shares no code with the gateway, so that no fault of ours can hide in it: no module
here imports anything of aigw.
"""

from .provider import Mock
from .seen import Seen

__all__ = ["Mock", "Seen"]
