"""Gemini, as the official client reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import pytest_twisted
from google import genai
from google.genai import errors, types

from .client import Served, post
from .using import using_gemini

ASKED = "What is a stream?"
THINK = types.ThinkingConfig(include_thoughts=True)
KEY = "x-goog-api-key: k"
STREAM = "/v1beta/models/{}:streamGenerateContent"
CONTENTS = {"contents": [{"parts": [{"text": ASKED}]}]}


def config(**more: Any) -> types.GenerateContentConfig:
    """Thoughts shown, functions left to the test."""
    own = types.AutomaticFunctionCallingConfig(disable=True)
    return types.GenerateContentConfig(
        thinking_config=THINK, automatic_function_calling=own, **more
    )


def whole(client: genai.Client, model: str, contents: Any = ASKED) -> Any:
    return client.models.generate_content(
        model=model, contents=contents, config=config()
    )


def streamed(client: genai.Client, model: str, contents: Any = ASKED) -> Any:
    return list(
        client.models.generate_content_stream(
            model=model, contents=contents, config=config()
        )
    )


def parts_of(answers: list[Any], index: int = 0) -> list[Any]:
    """The parts, texts of one kind joined."""
    parts: list[Any] = []
    for answer in answers:
        for candidate in answer.candidates or ():
            if candidate.index != index:
                continue
            for part in candidate.content.parts or ():
                held = part.model_dump(exclude_none=True, exclude_defaults=True)
                same = parts and "text" in held and "text" in parts[-1]
                if same and held.get("thought") == parts[-1].get("thought"):
                    parts[-1] = {
                        **parts[-1],
                        **held,
                        "text": parts[-1]["text"] + held["text"],
                    }
                elif held != {"text": ""}:
                    parts.append(held)
    return parts


@pytest.mark.parametrize(
    ("model", "stop"),
    [
        ("mock", "STOP"),
        ("mock-n5", "STOP"),
        ("mock-tool", "STOP"),
        ("mock-tools", "STOP"),
        ("mock-ids", "STOP"),
        ("mock-thinking", "STOP"),
        ("mock-thinktools", "STOP"),
        ("mock-cached", "STOP"),
        ("mock-filter", "SAFETY"),
        ("mock-length", "MAX_TOKENS"),
        ("mock-empty", "STOP"),
        ("mock-choices", "STOP"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_stream_comes_to_what_the_whole_answer_says(
    served: Served, model: str, stop: str
) -> None:
    one = await using_gemini(served, lambda client: whole(client, model))
    chunks = await using_gemini(served, lambda client: streamed(client, model))
    for index in range(len(one.candidates)):
        assert parts_of(chunks, index) == parts_of([one], index)
        assert one.candidates[index].finish_reason.name == stop
        ends = [
            candidate.finish_reason.name
            for chunk in chunks
            for candidate in chunk.candidates
            if candidate.index == index and candidate.finish_reason
        ]
        assert ends == [stop]
    assert chunks[-1].usage_metadata == one.usage_metadata
    usage = one.usage_metadata
    output = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
    assert usage.total_token_count == usage.prompt_token_count + output
    assert len(one.candidates) == (2 if model == "mock-choices" else 1)


@pytest_twisted.ensureDeferred
async def test_a_refused_prompt_has_no_candidates(served: Served) -> None:
    one = await using_gemini(served, lambda client: whole(client, "mock-refusal"))
    (chunk,) = await using_gemini(
        served, lambda client: streamed(client, "mock-refusal")
    )
    assert one.candidates is chunk.candidates is None
    assert one.prompt_feedback == chunk.prompt_feedback
    assert one.prompt_feedback.block_reason.name == "PROHIBITED_CONTENT"


@pytest_twisted.ensureDeferred
async def test_without_sse_a_stream_is_one_array(served: Served) -> None:
    path = STREAM.format("mock-n5-s400")
    got = await served.ask(post(path, CONTENTS, KEY))
    told = [answer["candidates"][0] for answer in got.json]
    assert [int(part["content"]["parts"][0]["text"][:8]) for part in told[:5]] == [
        *range(5)
    ]
    assert told[5]["finishReason"] == "STOP"
    assert got.fields[b"content-type"] == b"application/json; charset=UTF-8"
    empty = await served.ask(post(STREAM.format("mock-n0"), CONTENTS, KEY))
    assert len(empty.json) == 1


@pytest_twisted.ensureDeferred
async def test_events_of_sse_end_in_crlf_and_have_their_size(served: Served) -> None:
    path = STREAM.format("mock-n3-s400") + "?alt=sse&key=k"
    got = await served.ask(post(path, CONTENTS))
    assert got.body.count(b"\n") == got.body.count(b"\r\n")
    assert [len(event) for event in got.chunks[:3]] == [400] * 3
    assert got.seen.events == 4


@pytest_twisted.ensureDeferred
async def test_the_other_methods(served: Served) -> None:
    def work(client: genai.Client) -> Any:
        models = client.models
        assert models.count_tokens(model="mock", contents=ASKED).total_tokens == 14
        vectors = models.embed_content(model="mock", contents=["a", "b", "a"])
        assert vectors.embeddings is not None
        one, other, again = (held.values for held in vectors.embeddings)
        assert one == again != other
        return [model.name for model in models.list()]

    listed = await using_gemini(served, work)
    assert listed == ["models/mock", "models/mock-d20", "models/mock-tools"]
    for name, status in (("mock", 200), ("other", 404)):
        head = f"GET /v1beta/models/{name}?key=k HTTP/1.1\r\nHost: mock\r\n\r\n"
        got = await served.ask(head.encode())
        assert got.status == status
        assert f"models/{name}".encode() in got.body


@pytest_twisted.ensureDeferred
async def test_signed_calls_and_their_results_come_back(served: Served) -> None:
    def work(client: genai.Client) -> Any:
        first = whole(client, "mock-thinktools").candidates[0].content
        results = [
            types.Part.from_function_response(
                name=part.function_call.name,
                response={"output": f"result of {part.function_call.name}"},
            )
            for part in first.parts
            if part.function_call
        ]
        asked = types.Content(role="user", parts=[types.Part(text=ASKED)])
        back = types.Content(role="user", parts=results)
        return whole(client, "mock", [asked, first, back]).text

    assert await using_gemini(served, work) == (
        "My reasoning came back as I sealed it. "
        "get_weather returned: result of get_weather "
        "get_time returned: result of get_time"
    )


@pytest_twisted.ensureDeferred
async def test_a_picture_is_told(served: Served) -> None:
    # The client codes bytes in the URL-safe alphabet, which proto3 takes as well.
    png = b"\x89PNG\r\n\x1a\n and so on \xfb\xff"
    picture = types.Part.from_bytes(data=png, mime_type="image/png")
    told = await using_gemini(
        served, lambda client: whole(client, "mock", [picture, ASKED])
    )
    assert told.text == f"I was shown image/png of {len(png)} bytes."


USER = {"role": "user", "parts": [{"text": ASKED}]}
SEALED = "skip_thought_signature_validator"
CALL = {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": SEALED}
RESULT = {"functionResponse": {"name": "f", "response": {"output": "1"}}}


def model(*parts: Any) -> Any:
    return {"role": "model", "parts": list(parts)}


def user(*parts: Any) -> Any:
    return {"role": "user", "parts": list(parts)}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "contents is not specified"),
        ({"contents": [USER], "foo": 1}, 'Unknown name "foo": Cannot find field'),
        (
            {"contents": [USER], "generationConfig": {"max_tokens": 1}},
            "Unknown name \"maxTokens\" at 'generation_config'",
        ),
        ({"contents": [{"role": "assistant", "parts": [{"text": "a"}]}]}, "valid role"),
        ({"contents": [user()]}, "must not be empty"),
        ({"contents": [user({"inline_data": {"data": "a"}})]}, "Base64"),
        (
            {"contents": [user({"inlineData": {"data": "AAAA"}})]},
            "mimeType is not specified",
        ),
        (
            {"contents": [user({"image": "AAAA"})]},
            "Unknown name \"image\" at 'contents[0].parts[0]'",
        ),
        ({"contents": [USER, model(CALL), USER]}, "number of function response parts"),
        ({"contents": [USER, user(RESULT)]}, "immediately after a function call"),
        ({"contents": [USER, user(CALL)]}, "function call turn comes immediately"),
        (
            {"contents": [USER, model(CALL, CALL), user(RESULT)]},
            "number of function response parts",
        ),
        (
            {
                "contents": [
                    USER,
                    model({"functionCall": CALL["functionCall"]}),
                    user(RESULT),
                ]
            },
            "missing a thought_signature in functionCall parts",
        ),
        (
            {
                "contents": [
                    USER,
                    model({**CALL, "thoughtSignature": "AA"}),
                    user(RESULT),
                ]
            },
            "Corrupted thought signature",
        ),
        (
            {
                "contents": [
                    USER,
                    model(CALL),
                    user({"functionResponse": {"name": "f", "response": "text"}}),
                ]
            },
            "google.protobuf.Struct",
        ),
        (
            {
                "contents": [USER],
                "tools": [{"functionDeclarations": [{"name": "1/2"}]}],
            },
            "Invalid function name",
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_google_refuses_is_refused(
    served: Served, body: Any, words: str
) -> None:
    path = "/v1beta/models/gemini-3.mock:generateContent"
    got = await served.ask(post(path, body, KEY))
    assert got.status == got.json["error"]["code"] == 400
    assert got.json["error"]["status"] == "INVALID_ARGUMENT"
    assert words in got.json["error"]["message"]


@pytest_twisted.ensureDeferred
async def test_older_models_and_turns_do_without_signatures(served: Served) -> None:
    bare = {"functionCall": CALL["functionCall"]}
    under_way = {"contents": [USER, model(bare), user(RESULT)]}
    path = "/v1beta/models/gemini-2.5.mock:generateContent"
    assert (await served.ask(post(path, under_way, KEY))).status == 200
    over = {"contents": [*under_way["contents"], model({"text": "1"}), USER]}
    path = "/v1beta/models/gemini-3.mock:generateContent"
    assert (await served.ask(post(path, over, KEY))).status == 200


@pytest_twisted.ensureDeferred
async def test_vertex_asks_by_longer_paths(served: Served) -> None:
    where = "projects/p/locations/global/publishers/google/models/mock-n2"
    got = await served.ask(
        post(f"/v1/{where}:generateContent", CONTENTS, "Authorization: Bearer t")
    )
    assert got.json["usageMetadata"]["candidatesTokenCount"] == 2


@pytest_twisted.ensureDeferred
async def test_who_has_no_key_is_refused(served: Served) -> None:
    got = await served.ask(post("/v1beta/models/mock:generateContent", CONTENTS))
    assert got.status == 403
    assert got.json["error"]["status"] == "PERMISSION_DENIED"


@pytest.mark.parametrize(
    ("model", "error", "status"),
    [
        ("mock-status400", errors.ClientError, "INVALID_ARGUMENT"),
        ("mock-status429", errors.ClientError, "RESOURCE_EXHAUSTED"),
        ("mock-status503", errors.ServerError, "UNAVAILABLE"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_errors_are_the_vendors(
    served: Served, model: str, error: type[errors.APIError], status: str
) -> None:
    with pytest.raises(error) as refused:
        await using_gemini(served, lambda client: whole(client, model))
    assert refused.value.status == status


@pytest_twisted.ensureDeferred
async def test_an_error_in_a_stream_is_told_as_an_event(served: Served) -> None:
    with pytest.raises(errors.ServerError, match="internal error"):
        await using_gemini(served, lambda client: streamed(client, "mock-error3"))
    path = STREAM.format("mock-error3")
    got = await served.ask(post(path, CONTENTS, KEY))
    assert json.loads(got.body)[-1]["error"]["status"] == "INTERNAL"
