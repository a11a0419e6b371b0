"""
What OpenAI's Responses refuse of a request, in their words, and what is left to tell of
one that they take (https://platform.openai.com/docs/api-reference/responses/create).
"""

from __future__ import annotations

from typing import Any, Final

from .fixtures import every
from .heard import Heard, stranger
from .openai_media import FUNCTION_NAME, picture
from .script import Refused
from .shape import shaped

_KNOWN: Final = frozenset(
    "model input instructions background context_management conversation include "
    "max_output_tokens max_tool_calls metadata moderation parallel_tool_calls "
    "previous_response_id prompt prompt_cache_key prompt_cache_options "
    "prompt_cache_retention reasoning safety_identifier service_tier store stream "
    "stream_options temperature text tool_choice tools top_logprobs top_p truncation "
    "user".split()
)
_TYPES: Final[tuple[tuple[str, type, str], ...]] = (
    ("reasoning", dict, "an object"),
    ("text", dict, "an object"),
    ("include", list, "an array"),
    ("tools", list, "an array"),
    ("max_output_tokens", int, "an integer"),
)
_LEAST_OUTPUT: Final = 16
_LONGEST_ID: Final = 64
_INPUTS: Final = ("input_text", "input_image", "input_file", "input_audio")
_OUTPUTS: Final = ("output_text", "refusal")
#: What calls tools, and what answers each.
_RESULTS: Final = {
    "function_call": "function_call_output",
    "custom_tool_call": "custom_tool_call_output",
}
#: With what the ids of items begin.
_IDS: Final = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "web_search_call": "ws",
}


@shaped
def checked(body: dict[str, Any]) -> Heard:
    """
    What a request has for the model.

    :raises Refused: the API would refuse it.
    """
    name = stranger(body, _KNOWN)
    if name:
        raise Refused(400, f"Unknown parameter: '{name}'.", "unknown_parameter", name)
    if not any(key in body for key in ("input", "previous_response_id", "prompt")):
        said = "Missing required parameter: 'input'."
        raise Refused(400, said, "missing_required_parameter", "input")
    for name, kind, spoken in _TYPES:
        if body.get(name) is not None and not isinstance(body[name], kind):
            said = f"Invalid type for '{name}': expected {spoken}."
            raise Refused(400, said, "invalid_type", name)
    most = body.get("max_output_tokens")
    if most is not None and most < _LEAST_OUTPUT:
        raise Refused(
            400,
            "Invalid 'max_output_tokens': integer below minimum value. Expected a "
            f"value >= {_LEAST_OUTPUT}, but got {most} instead.",
            "integer_below_min_value",
            "max_output_tokens",
        )
    previous = body.get("previous_response_id")
    if previous is not None and previous != known_id():
        said = f"Previous response with id '{previous}' not found."
        code = "previous_response_not_found"
        raise Refused(400, said, code, "previous_response_id")
    _tools(body.get("tools") or [])
    given = body.get("input", [])
    if isinstance(given, str):
        return Heard()
    return _heard(given, previous is not None)


def known_id() -> str:
    """The id of every answer."""
    answers = every("openai-responses")
    known: str = answers[0]["id"]
    return known


def _tools(tools: list[Any]) -> None:
    for place, tool in enumerate(tools):
        if tool.get("type") == "function" and not isinstance(tool.get("name"), str):
            where = f"tools[{place}].name"
            said = f"Missing required parameter: '{where}'."
            raise Refused(400, said, "missing_required_parameter", where)
        _name(tool.get("name", "none"), f"tools[{place}].name")


def _name(name: str, where: str) -> None:
    if not FUNCTION_NAME.fullmatch(name):
        raise Refused(
            400,
            f"Invalid '{where}': string does not match pattern. Expected a string that "
            f"matches the pattern '^{FUNCTION_NAME.pattern}$'.",
            "invalid_value",
            where,
        )


def _heard(items: list[Any], continued: bool) -> Heard:
    heard = Heard()
    calls: dict[str, str] = {}
    answered: set[str] = set()
    last = max(
        (at for at, item in enumerate(items) if _of_model(item)),
        default=-1,
    )
    for at, item in enumerate(items):
        kind = item.get("type", "message")
        where = f"input[{at}]"
        _id(item, kind, where)
        told = heard if at > last else Heard()
        if kind == "message":
            _message(item, where, told)
        elif kind == "reasoning":
            _reasoning(items, at, heard)
        elif kind in _RESULTS:
            _call(item, where)
            calls[item["call_id"]] = item["name"]
        elif kind in _RESULTS.values():
            call = item.get("call_id")
            name = calls.get(call) or _before(call) * continued
            if not name:
                raise Refused(
                    400,
                    f"No tool call found for {_spoken(kind)} with call_id {call}.",
                    param="input",
                )
            answered.add(call)
            _result(item, name, where, told)
    for call in calls:
        if call not in answered:
            said = f"No tool output found for function call {call}."
            raise Refused(400, said, param="input")
    return heard


def _of_model(item: dict[str, Any]) -> bool:
    if item.get("type", "message") == "message":
        return item.get("role") == "assistant"
    return item["type"] in _IDS


def _before(call: str | None) -> str:
    """The name of a call in an answer of ours, which a client may go on from."""
    for answer in every("openai-responses"):
        for item in answer["output"]:
            if call is not None and item.get("call_id") == call:
                return str(item["name"])
    return ""


def _spoken(kind: str) -> str:
    return kind.replace("_", " ")


def _id(item: dict[str, Any], kind: str, where: str) -> None:
    given, start = item.get("id"), _IDS.get(kind)
    if given is not None and start and not str(given).startswith(start):
        raise Refused(
            400,
            f"Invalid '{where}.id': '{given}'. Expected an ID that begins with "
            f"'{start}'.",
            "invalid_value",
            f"{where}.id",
        )


def _call(item: dict[str, Any], where: str) -> None:
    needed = "arguments" if item["type"] == "function_call" else "input"
    for name in ("call_id", "name", needed):
        if not isinstance(item.get(name), str):
            said = f"Missing required parameter: '{where}.{name}'."
            raise Refused(400, said, "missing_required_parameter", f"{where}.{name}")
    _name(item["name"], f"{where}.name")
    if len(item["call_id"]) > _LONGEST_ID:
        raise Refused(
            400,
            f"Invalid '{where}.call_id': string too long. Expected a string with "
            f"maximum length {_LONGEST_ID}, but got a string with length "
            f"{len(item['call_id'])} instead.",
            "string_above_max_length",
            f"{where}.call_id",
        )


def _reasoning(items: list[Any], at: int, heard: Heard) -> None:
    item = items[at]
    sealed = item.get("encrypted_content")
    own = [
        told
        for answer in every("openai-responses")
        for told in answer["output"]
        if told["type"] == "reasoning"
    ]
    if sealed is None:
        if item.get("id") not in [told["id"] for told in own]:
            raise Refused(404, f"Item with id '{item.get('id')}' not found.")
    elif sealed not in [told["encrypted_content"] for told in own]:
        raise Refused(
            400,
            f"The encrypted content {sealed[:4]}...{sealed[-4:]} could not be "
            "verified. Reason: Encrypted content could not be decrypted or parsed.",
            "invalid_encrypted_content",
        )
    if at + 1 == len(items) or not _of_model(items[at + 1]):
        raise Refused(
            400,
            f"Item '{item.get('id')}' of type 'reasoning' was provided without its "
            "required following item.",
            param="input",
        )
    heard.reasoned()


def _message(item: dict[str, Any], where: str, heard: Heard) -> None:
    role, content = item.get("role"), item.get("content")
    if role not in ("user", "assistant", "system", "developer"):
        raise Refused(
            400,
            f"Invalid value: '{role}'. Supported values are: 'assistant', 'system', "
            "'developer', and 'user'.",
            "invalid_value",
            f"{where}.role" if role is not None else where,
        )
    if isinstance(content, str):
        return
    kinds = _OUTPUTS if role == "assistant" else _INPUTS
    for number, part in enumerate(content or ()):
        _part(part, kinds, f"{where}.content[{number}]", heard)


def _part(part: Any, kinds: tuple[str, ...], where: str, heard: Heard) -> None:
    kind = part.get("type")
    if kind not in kinds:
        listed = ", ".join(f"'{name}'" for name in kinds)
        said = f"Invalid value: '{kind}'. Supported values are: {listed}."
        raise Refused(400, said, "invalid_value", where)
    if kind == "input_image" and "file_id" not in part:
        picture(part.get("image_url"), f"{where}.image_url", heard)


def _result(item: dict[str, Any], name: str, where: str, heard: Heard) -> None:
    output = item.get("output")
    if isinstance(output, str):
        heard.result(name, output)
        return
    if not isinstance(output, list):
        said = f"Missing required parameter: '{where}.output'."
        raise Refused(400, said, "missing_required_parameter", f"{where}.output")
    texts = [part["text"] for part in output if part.get("type") == "input_text"]
    heard.result(name, "".join(texts))
    for number, part in enumerate(output):
        _part(part, _INPUTS, f"{where}.output[{number}]", heard)
