"""The correct-streaming AI gateway, on Twisted."""

__version__ = "0.1.0"
