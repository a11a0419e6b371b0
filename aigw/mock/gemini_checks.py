"""
What Gemini refuses of a request for content, in its words, and what is left to tell of
one that it takes (https://ai.google.dev/api/caching#Content, …/gemini-api/docs/
function-calling, …/gemini-api/docs/thought-signatures).
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from .fixtures import every
from .heard import Heard, contradicted, decoded, stranger
from .script import Refused
from .shape import shaped

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}\Z")
_KNOWN: Final = frozenset(
    "model contents systemInstruction tools toolConfig safetySettings generationConfig "
    "cachedContent labels serviceTier store".split()
)
_PARTS: Final = frozenset(
    "text inlineData fileData functionCall functionResponse executableCode "
    "codeExecutionResult thought thoughtSignature videoMetadata mediaResolution "
    "toolCall toolResponse partMetadata".split()
)
_SETTINGS: Final = frozenset(
    "stopSequences responseMimeType responseSchema responseJsonSchema "
    "_responseJsonSchema responseModalities candidateCount maxOutputTokens temperature "
    "topP topK seed presencePenalty frequencyPenalty responseLogprobs logprobs "
    "enableEnhancedCivicAnswers speechConfig thinkingConfig imageConfig "
    "mediaResolution audioTimestamp routingConfig modelSelectionConfig".split()
)
_MOST_CANDIDATES: Final = 8
#: What the page on thought signatures lets stand for one that was lost.
_DUMMIES: Final = (
    "context_engineering_is_the_way_to_go",
    "skip_thought_signature_validator",
)
#: Models before the third generation do without.
_UNSIGNED: Final = re.compile(r"gemini-[12]\b")
#: Whose keys are the user's own.
_FREE: Final = frozenset(
    "args response parameters parametersJsonSchema responseSchema responseJsonSchema "
    "_responseJsonSchema labels".split()
)
_AFTER_CALLS: Final = (
    "Please ensure that the number of function response parts is equal to the number "
    "of function call parts of the function call turn."
)
_CALLS_PLACE: Final = (
    "Please ensure that function call turn comes immediately after a user turn or "
    "after a function response turn."
)
_RESULTS_PLACE: Final = (
    "Please ensure that function response turn comes immediately after a function "
    "call turn."
)
_STANDARD: Final = str.maketrans("-_", "+/")


def camel(value: Any) -> Any:
    """The JSON with its fields in lowerCamelCase: proto3's JSON takes either."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    names = {key: re.sub(r"(?<=.)_([a-z])", _upper, key) for key in value}
    return {
        name: value[key] if name in _FREE else camel(value[key])
        for key, name in names.items()
    }


@shaped
def checked(body: dict[str, Any], model: str) -> Heard:
    """
    What a request with fields in lowerCamelCase has for the model.

    :raises Refused: Gemini would refuse it.
    """
    _strangers(body, _KNOWN, "")
    _strangers(body.get("generationConfig", {}), _SETTINGS, "generation_config")
    _settings(body.get("generationConfig", {}))
    _tools(body.get("tools", []))
    contents = body.get("contents")
    if isinstance(contents, dict):
        contents = [contents]
    if not contents:
        where = "GenerateContentRequest.contents"
        raise Refused(400, f"* {where}: contents is not specified\n")
    for place, content in enumerate(contents):
        _content(content, place)
    _turns(contents)
    return _heard(contents, _UNSIGNED.search(model) is None)


def _upper(found: re.Match[str]) -> str:
    return found[1].upper()


def _strangers(held: Any, known: frozenset[str], where: str) -> None:
    if not isinstance(held, dict):
        raise Refused(400, f"Invalid value at '{where}', {json.dumps(held)}")
    name = stranger(held, known)
    if name:
        place = f" at '{where}'" if where else ""
        said = f'Unknown name "{name}"{place}: Cannot find field.'
        raise Refused(400, f"Invalid JSON payload received. {said}")


def _settings(settings: dict[str, Any]) -> None:
    count = settings.get("candidateCount", 1)
    if type(count) is not int or not 1 <= count <= _MOST_CANDIDATES:
        where = "GenerateContentRequest.generation_config.candidate_count"
        said = f"must be in the range [1, {_MOST_CANDIDATES}]"
        raise Refused(400, f"* {where}: candidate count {said}.\n")
    where = "generation_config.thinking_config"
    known = frozenset(("includeThoughts", "thinkingBudget", "thinkingLevel"))
    _strangers(settings.get("thinkingConfig", {}), known, where)


def _tools(tools: list[Any]) -> None:
    for place, tool in enumerate(tools):
        for number, declared in enumerate(tool.get("functionDeclarations", [])):
            if not _NAME.match(str(declared.get("name", ""))):
                where = f"tools[{place}].function_declarations[{number}].name"
                raise Refused(
                    400,
                    f"* GenerateContentRequest.{where}: Invalid function name. Must "
                    "start with a letter or an underscore. Must be alphanumeric (a-z, "
                    "A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), "
                    "with a maximum length of 64.\n",
                )


def _content(content: Any, place: int) -> None:
    where = f"contents[{place}]"
    _strangers(content, frozenset(("role", "parts")), where)
    if content.get("role", "user") not in ("user", "model", "function"):
        raise Refused(400, "Please use a valid role: user, model.")
    if not content.get("parts"):
        full = f"GenerateContentRequest.{where}.parts"
        raise Refused(400, f"* {full}: contents.parts must not be empty.\n")
    for number, part in enumerate(content["parts"]):
        _part(part, f"{where}.parts[{number}]")


def _bytes(coded: object) -> bytes | None:
    """
    A field of bytes, in either alphabet and with padding or without (the JSON mapping
    of protobuf); None if it is none.
    """
    if not isinstance(coded, str):
        return None
    plain = coded.translate(_STANDARD).rstrip("=")
    return decoded(plain + "=" * (-len(plain) % 4))


def _part(part: Any, where: str) -> None:
    _strangers(part, _PARTS, where)
    inline = part.get("inlineData")
    if inline is not None:
        _strangers(inline, frozenset(("mimeType", "data", "displayName")), where)
        data = _bytes(inline.get("data"))
        if data is None:
            raise Refused(
                400,
                f"Invalid value at '{where}.inline_data.data' (TYPE_BYTES), Base64 "
                "decoding failed",
            )
        if not inline.get("mimeType"):
            raise Refused(400, "Unable to submit request: mimeType is not specified.")
        if contradicted(inline["mimeType"], data):
            raise Refused(400, "Unable to process input image. Please retry.")
    response = part.get("functionResponse")
    if response is not None and not isinstance(response.get("response"), dict):
        held = json.dumps(response.get("response"))
        at = f"{where}.function_response.response"
        proto = "type.googleapis.com/google.protobuf.Struct"
        raise Refused(400, f"Invalid value at '{at}' ({proto}), {held}")
    for name in ("functionCall", "functionResponse"):
        if name in part and not _NAME.match(str(part[name].get("name", ""))):
            snake = "function_call" if name == "functionCall" else "function_response"
            full = f"GenerateContentRequest.{where}.{snake}.name"
            raise Refused(400, f"* {full}: Name cannot be empty or malformed.\n")


def _turns(contents: list[Any]) -> None:
    before: list[Any] = []
    for content in contents:
        calls, results = _of(content, "functionCall"), _of(content, "functionResponse")
        if calls and content.get("role") != "model":
            raise Refused(400, _CALLS_PLACE)
        if results and not before:
            raise Refused(400, _RESULTS_PLACE)
        if len(results) != len(before) and (results or before):
            raise Refused(400, _AFTER_CALLS)
        left = [call["name"] for call in before]
        for result in results:
            if result["name"] not in left:
                raise Refused(400, _AFTER_CALLS)
            left.remove(result["name"])
            ids = [call["id"] for call in before if "id" in call]
            if "id" in result and ids and result["id"] not in ids:
                raise Refused(400, _AFTER_CALLS)
        before = calls
    if before:
        raise Refused(400, _AFTER_CALLS)


def _of(content: dict[str, Any], name: str) -> list[Any]:
    return [part[name] for part in content["parts"] if name in part]


def _heard(contents: list[Any], signed: bool) -> Heard:
    heard = Heard()
    sealed = {
        str(part["thoughtSignature"])
        for answer in every("gemini")
        for candidate in answer.get("candidates", ())
        for part in candidate["content"].get("parts", ())
        if "thoughtSignature" in part
    }
    # The turn under way begins with the last content of a user that has no results.
    turn = max(
        place
        for place, content in enumerate(contents)
        if place == 0
        or (content.get("role") != "model" and not _of(content, "functionResponse"))
    )
    for place, content in enumerate(contents):
        first = True
        for number, part in enumerate(content["parts"]):
            seal = part.get("thoughtSignature")
            if seal is not None and seal not in _DUMMIES:
                if seal not in sealed:
                    raise Refused(400, "Corrupted thought signature.")
                heard.reasoned()
            if "functionCall" in part:
                if first and seal is None and place >= turn and signed:
                    _unsigned(part["functionCall"]["name"], number + 1)
                first = False
    for part in contents[-1]["parts"]:
        _tell(heard, part)
    return heard


def _unsigned(name: str, position: int) -> None:
    raise Refused(
        400,
        "Function call is missing a thought_signature in functionCall parts. This is "
        "required for tools to work correctly, and missing thought_signature may lead "
        "to degraded model performance. Additional data, function call "
        f"`default_api:{name}` , position {position}. Please refer to "
        "https://ai.google.dev/gemini-api/docs/thought-signatures for more details.",
    )


def _tell(heard: Heard, part: dict[str, Any]) -> None:
    if "functionResponse" in part:
        result = part["functionResponse"]
        held = result["response"]
        text = next((held[key] for key in ("output", "result") if key in held), held)
        said = text if isinstance(text, str) else json.dumps(text)
        heard.result(result["name"], said)
        for inner in result.get("parts", ()):
            _tell(heard, inner)
    elif "inlineData" in part:
        data = _bytes(part["inlineData"].get("data"))
        heard.media(part["inlineData"]["mimeType"], data or b"")
    elif "fileData" in part:
        heard.linked(part["fileData"].get("fileUri", ""))
