"""Why a model stopped, in neutral words."""

from __future__ import annotations

from enum import StrEnum


class Finish(StrEnum):
    STOP = "stop"
    STOP_SEQUENCE = "stop_sequence"
    LENGTH = "length"
    CONTEXT = "context"  # the context window is full
    TOOL_CALLS = "tool_calls"
    FILTERED = "filtered"  # a filter around the model stopped it
    REFUSAL = "refusal"  # the model itself declined
    PAUSE = "pause"  # it wants to be called again with what it said
    MALFORMED = "malformed"  # it called a tool in a way nobody can read
    OTHER = "other"
