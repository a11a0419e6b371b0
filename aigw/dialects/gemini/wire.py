"""
Objects of a Gemini request. Google reads each field by its name in JSON and by its name
in the protocol's definition (https://protobuf.dev/programming-guides/json/), and one
object where several may stand; much of what is published writes so.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from aigw.dialects.json_object import JSONObject, items, opens_with

_NAMES: Final = (
    "systemInstruction toolConfig safetySettings generationConfig cachedContent "
    "serviceTier functionDeclarations parametersJsonSchema responseJsonSchema "
    "functionCallingConfig allowedFunctionNames inlineData fileData mimeType fileUri "
    "functionCall functionResponse thoughtSignature executableCode videoMetadata "
    "codeExecutionResult maxOutputTokens topP topK stopSequences candidateCount "
    "presencePenalty frequencyPenalty responseLogprobs responseMimeType "
    "responseSchema responseModalities thinkingConfig includeThoughts thinkingBudget "
    "thinkingLevel speechConfig mediaResolution googleSearch codeExecution urlContext "
    "displayName retrievalConfig"
).split()
_CAMEL: Final = {re.sub("([A-Z])", r"_\1", n).lower(): n for n in _NAMES}


class Wire(JSONObject):
    """An object whose known fields may have either name."""

    __slots__ = ()

    def __init__(self, raw: bytes | msgspec.Raw | dict[str, msgspec.Raw], path: str):
        super().__init__(raw, path)
        fields = self._fields
        for name in [name for name in fields if name in _CAMEL]:
            fields.setdefault(_CAMEL[name], fields.pop(name))

    def several(self, name: str) -> list[tuple[bytes, str]]:
        """The items of an array, or the one object in its place, with their paths."""
        raw = self.raw(name)
        if raw is None:
            return []
        path = self.at(name)
        if opens_with(raw, b"{"):
            return [(raw, path)]
        found = items(raw, path)
        return [(bytes(one), f"{path}[{place}]") for place, one in enumerate(found)]

    def names(self) -> list[str]:
        """The fields still there."""
        return list(self._fields)
