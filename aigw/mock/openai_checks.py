"""
What OpenAI refuses of a chat completion, in its words, and what is left to tell of one
that it takes (https://platform.openai.com/docs/api-reference/chat/create).
"""

from __future__ import annotations

from typing import Any, Final

from .fixtures import every
from .heard import Heard, stranger
from .openai_media import FUNCTION_NAME, picture
from .script import Refused
from .shape import shaped

#: OpenAI's own, and behind them what vendors of compatible APIs have besides.
_KNOWN: Final = frozenset(
    "messages model audio frequency_penalty function_call functions logit_bias "
    "logprobs max_completion_tokens max_tokens metadata modalities moderation n "
    "parallel_tool_calls prediction presence_penalty prompt_cache_key "
    "prompt_cache_options prompt_cache_retention reasoning_effort response_format "
    "safety_identifier seed service_tier stop store stream stream_options temperature "
    "tool_choice tools top_logprobs top_p user verbosity web_search_options "
    "chat_template_kwargs enable_thinking include_reasoning min_p models provider "
    "reasoning repetition_penalty thinking top_a top_k transforms".split()
)
_ROLES: Final = ("system", "developer", "user", "assistant", "tool", "function")
_PARTS: Final = {
    "user": ("text", "image_url", "input_audio", "file"),
    "assistant": ("text", "refusal"),
}
_MOST_CHOICES: Final = 128
_LONGEST_ID: Final = 40
_LONGEST_NAME: Final = 64


@shaped
def checked(body: dict[str, Any]) -> Heard:
    """
    What a request has for the model.

    :raises Refused: OpenAI would refuse it.
    """
    name = stranger(body, _KNOWN)
    if name:
        raise Refused(400, f"Unknown parameter: '{name}'.", "unknown_parameter", name)
    if "max_tokens" in body and "max_completion_tokens" in body:
        said = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is "
        raise Refused(400, said + "not supported.", "invalid_parameter_combination")
    for place, tool in enumerate(body.get("tools") or ()):
        if tool.get("type") == "function":
            _name(tool.get("function"), f"tools[{place}].function")
    number = body.get("n")
    if number is not None and type(number) is not int:
        raise _type("n", "an integer", number)
    if number is not None and not 1 <= number <= _MOST_CHOICES:
        said = "Invalid 'n': integer out of range. Expected a value between 1 and "
        raise Refused(400, f"{said}{_MOST_CHOICES}.", "integer_out_of_range", "n")
    messages = body["messages"]
    if not isinstance(messages, list):
        raise _type("messages", "an array", messages)
    return _heard(messages)


def _heard(messages: list[Any]) -> Heard:
    heard = Heard()
    said = [at for at, one in enumerate(messages) if one.get("role") == "assistant"]
    last = said[-1] if said else -1
    calls: dict[str, str] = {}
    open_calls: dict[str, str] = {}
    for at, message in enumerate(messages):
        role, where = message.get("role"), f"messages[{at}]"
        if role not in _ROLES:
            listed = ", ".join(f"'{name}'" for name in _ROLES)
            said_so = f"Invalid value: '{role}'. Supported values are: {listed}."
            raise Refused(400, said_so, "invalid_value", f"{where}.role")
        if role != "tool" and open_calls:
            _unanswered(open_calls, at)
        told = heard if at > last else Heard()
        text = _content(message, where, told)
        if role == "assistant":
            _details(message, at, heard)
            calls = open_calls = _calls(message, where)
            calls = dict(calls)
        elif role == "tool":
            id = message.get("tool_call_id")
            if id not in calls:
                raise Refused(
                    400,
                    "Invalid parameter: messages with role 'tool' must be a response "
                    "to a preceeding message with 'tool_calls'.",
                    param=f"messages.[{at}].role",
                )
            open_calls.pop(id, None)
            told.result(calls[id], text)
        else:
            calls = {}
    if open_calls:
        _unanswered(open_calls, len(messages))
    return heard


def _details(message: dict[str, Any], at: int, heard: Heard) -> None:
    """Signed reasoning, as vendors of compatible APIs want it back."""
    own = [
        (detail["text"], detail["signature"])
        for answer in every("openai-chat")
        for choice in answer["choices"]
        for detail in choice["message"].get("reasoning_details", ())
    ]
    for number, detail in enumerate(message.get("reasoning_details") or ()):
        if "signature" not in detail:
            continue
        if (detail.get("text"), detail["signature"]) not in own:
            said = f"messages.{at}.content.{number}: Invalid `signature` in `thinking` "
            raise Refused(400, said + "block")
        heard.reasoned()


def _unanswered(calls: dict[str, str], at: int) -> None:
    raise Refused(
        400,
        "An assistant message with 'tool_calls' must be followed by tool messages "
        "responding to each 'tool_call_id'. The following tool_call_ids did not have "
        f"response messages: {', '.join(calls)}",
        param=f"messages.[{at}].role",
    )


def _calls(message: dict[str, Any], where: str) -> dict[str, str]:
    calls: dict[str, str] = {}
    given = message.get("tool_calls")
    if given is None:
        return calls
    if given == []:
        said = f"Invalid '{where}.tool_calls': empty array. Expected an array with "
        said += "minimum length 1, but got an empty array instead."
        raise Refused(400, said, "empty_array", f"{where}.tool_calls")
    for number, call in enumerate(given):
        here = f"{where}.tool_calls[{number}]"
        id = call.get("id")
        if not isinstance(id, str):
            said = f"Missing required parameter: '{here}.id'."
            raise Refused(400, said, "missing_required_parameter", f"{here}.id")
        if len(id) > _LONGEST_ID:
            raise Refused(
                400,
                f"Invalid '{here}.id': string too long. Expected a string with maximum "
                f"length {_LONGEST_ID}, but got a string with length {len(id)} "
                "instead.",
                "string_above_max_length",
                f"{here}.id",
            )
        function = call.get("function")
        calls[id] = _name(function, f"{here}.function")
        if not isinstance(function.get("arguments"), str):
            given_so = function.get("arguments")
            raise _type(f"{here}.function.arguments", "a string", given_so)
    return calls


def _name(function: Any, where: str) -> str:
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(name, str):
        said = f"Missing required parameter: '{where}.name'."
        raise Refused(400, said, "missing_required_parameter", f"{where}.name")
    if not FUNCTION_NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise Refused(
            400,
            f"Invalid '{where}.name': string does not match pattern. Expected a string "
            f"that matches the pattern '^{FUNCTION_NAME.pattern}$'.",
            "invalid_value",
            f"{where}.name",
        )
    return name


def _content(message: dict[str, Any], where: str, heard: Heard) -> str:
    """The text of a message; its pictures are told."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if content is None:
        if message["role"] == "assistant":
            return ""
        said = "Invalid value for 'content': expected a string, got null."
        raise Refused(400, said, param=f"messages.{where}.content")
    if not isinstance(content, list):
        raise _type(f"{where}.content", "a string or an array of objects", content)
    kinds = _PARTS.get(message["role"], ("text",))
    texts = []
    for number, part in enumerate(content):
        here, kind = f"{where}.content[{number}]", part.get("type")
        if kind not in kinds:
            listed = ", ".join(f"'{name}'" for name in kinds)
            said = f"Invalid value: '{kind}'. Supported values are: {listed}."
            raise Refused(400, said, "invalid_value", f"{here}.type")
        if kind == "text":
            texts.append(part["text"])
        elif kind == "image_url":
            held = part.get("image_url")
            if not isinstance(held, dict):
                raise _type(f"{here}.image_url", "an object", held)
            picture(held.get("url"), f"{here}.image_url.url", heard)
    return "".join(texts)


def _type(where: str, expected: str, given: object) -> Refused:
    names = {str: "a string", dict: "an object", list: "an array", type(None): "null"}
    got = names.get(type(given), "another type")
    said = f"Invalid type for '{where}': expected {expected}, but got {got} instead."
    return Refused(400, said, "invalid_type", where)
