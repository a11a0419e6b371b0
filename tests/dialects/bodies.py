"""Request bodies of each chat dialect, as far as the dialect says it can express."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

text = st.text(st.characters(codec="utf-8"), max_size=6)
name = st.text("abcXYZ019_-", min_size=1, max_size=8)
odd_name = st.text("ab.:/ é", min_size=1, max_size=80)
number = st.floats(0, 2) | st.integers(0, 2)
schema = st.just(
    {"type": "object", "properties": {"q": {"type": "integer", "maximum": 2**60}}}
)
metadata = st.dictionaries(name, text, max_size=2)
unknown = st.dictionaries(
    st.sampled_from(["x_new", "x.dotted", "x_other"]),
    st.none() | st.integers() | st.just({"deep": [1.50, None]}),
    max_size=2,
)


def some(required: dict[str, Any], optional: dict[str, Any]) -> Any:
    """An object, now and then with fields nobody knows."""
    known = st.fixed_dictionaries(required, optional=optional)
    return st.builds(lambda one, more: {**more, **one}, known, unknown)


def lists(item: Any, least: int = 0) -> Any:
    return st.lists(item, min_size=least, max_size=3)


# -- openai-chat

_breakpoint = st.just({"mode": "explicit", "ttl": "30m"}) | st.just(
    {"mode": "explicit"}
)
_oc_text = some(
    {"type": st.just("text"), "text": text},
    {"prompt_cache_breakpoint": _breakpoint},
)
_url = st.sampled_from(["https://x.test/a.png", "data:image/png;base64,AAAA"])
_oc_media = (
    some(
        {
            "type": st.just("image_url"),
            "image_url": some({"url": _url}, {"detail": st.just("low")}),
        },
        {},
    )
    | some(
        {
            "type": st.just("input_audio"),
            "input_audio": some(
                {"data": st.just("AAAA"), "format": st.sampled_from(["wav", "mp3"])}, {}
            ),
        },
        {},
    )
    | some(
        {
            "type": st.just("file"),
            "file": st.fixed_dictionaries(
                {"file_data": st.just("data:application/pdf;base64,AAAA")},
                optional={"filename": name},
            )
            | st.fixed_dictionaries({"file_id": name}),
        },
        {},
    )
    | st.just({"type": "video_url", "video_url": {"url": "https://x.test"}})
)
_oc_call = some(
    {
        "id": name,
        "type": st.just("function"),
        "function": some({"name": name, "arguments": st.just('{"q": 1.0}')}, {}),
    },
    {},
) | some(
    {
        "id": name,
        "type": st.just("custom"),
        "custom": some({"name": name, "input": text}, {}),
    },
    {},
)
_details = lists(
    st.fixed_dictionaries(
        {
            "type": st.just("reasoning.text"),
            "text": text,
            "signature": name,
            "format": st.sampled_from(["anthropic-claude-v1", "future-v9"]),
        }
    )
    | st.fixed_dictionaries(
        {
            "type": st.just("reasoning.encrypted"),
            "data": name,
            "format": st.just("anthropic-claude-v1"),
        }
    ),
    1,
)
_oc_message = (
    some(
        {
            "role": st.sampled_from(["system", "developer"]),
            "content": text | lists(_oc_text),
        },
        {"name": name},
    )
    | some(
        {"role": st.just("user"), "content": text | lists(_oc_text | _oc_media)},
        {"name": name},
    )
    | some(
        {"role": st.just("assistant")},
        {
            "content": st.none()
            | text
            | lists(_oc_text | some({"type": st.just("refusal"), "refusal": text}, {})),
            "refusal": text,
            "reasoning_content": text,
            "reasoning_details": _details,
            "tool_calls": lists(_oc_call, 1),
            "name": name,
        },
    )
    | some(
        {
            "role": st.just("tool"),
            "tool_call_id": name,
            "content": text | lists(_oc_text),
        },
        {},
    )
)
_oc_tool = some(
    {
        "type": st.just("function"),
        "function": some(
            {"name": name},
            {"description": text, "parameters": schema, "strict": st.booleans()},
        ),
    },
    {},
) | some(
    {
        "type": st.just("custom"),
        "custom": some(
            {"name": name},
            {
                "format": st.just(
                    {
                        "type": "grammar",
                        "grammar": {"syntax": "regex", "definition": "a+"},
                    }
                )
            },
        ),
    },
    {},
)
openai_chat = some(
    {"model": name, "messages": lists(_oc_message, 1)},
    {
        "stream": st.booleans(),
        "stream_options": st.just({"include_usage": True}),
        "tools": lists(_oc_tool, 1),
        "tool_choice": st.sampled_from(
            [
                "none",
                "auto",
                "required",
                {"type": "function", "function": {"name": "x"}},
                {"type": "allowed_tools", "allowed_tools": {"mode": "auto"}},
            ]
        ),
        "parallel_tool_calls": st.booleans(),
        "max_completion_tokens": st.integers(1, 9),
        "temperature": number,
        "top_p": number,
        "stop": text | st.lists(text, min_size=1, max_size=5),
        "seed": st.integers(),
        "frequency_penalty": number,
        "presence_penalty": number,
        "logit_bias": st.just({"50256": -100}),
        "n": st.integers(1, 3),
        "logprobs": st.just(True),
        "reasoning_effort": st.sampled_from(["none", "minimal", "high"]),
        "response_format": st.sampled_from(
            [
                {"type": "text"},
                {"type": "json_object"},
                {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "schema": {"a": 1}, "strict": False},
                },
                {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "description": "d", "schema": {}},
                },
            ]
        ),
        "user": name,
        "metadata": metadata,
        "service_tier": st.just("flex"),
        "verbosity": st.just("low"),
    },
)

# -- anthropic-messages

_cache = st.sampled_from([{"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}])
_am_text = some(
    {"type": st.just("text"), "text": text},
    {
        "cache_control": _cache,
        "citations": st.just(
            [{"type": "char_location", "cited_text": "c", "document_title": None}]
        ),
    },
)
_am_source = st.sampled_from(
    [
        {"type": "base64", "media_type": "image/png", "data": "AAAA"},
        {"type": "url", "url": "https://x.test/a"},
        {"type": "file", "file_id": "file_1"},
    ]
)
_am_media = some(
    {"type": st.just("image"), "source": _am_source}, {"cache_control": _cache}
) | some(
    {
        "type": st.just("document"),
        "source": _am_source
        | st.just({"type": "text", "media_type": "text/plain", "data": "t"})
        | st.just({"type": "content", "content": "c"}),
    },
    {"title": name, "context": text, "citations": st.just({"enabled": True})},
)
_am_result = some(
    {"type": st.just("tool_result"), "tool_use_id": name},
    {
        "content": text | lists(_am_text | _am_media),
        "is_error": st.booleans(),
        "cache_control": _cache,
    },
)
_am_said = (
    _am_text
    | some(
        {
            "type": st.just("tool_use"),
            "id": name,
            "name": name,
            "input": st.just({}) | st.just({"q": 2**60, "r": [1.50]}),
        },
        {"cache_control": _cache},
    )
    | some({"type": st.just("thinking"), "thinking": text, "signature": text}, {})
    | st.fixed_dictionaries({"type": st.just("redacted_thinking"), "data": name})
    | st.just({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}})
)
_am_message = (
    some({"role": st.just("assistant"), "content": text | lists(_am_said, 1)}, {})
    | some(
        {
            "role": st.just("user"),
            "content": text | lists(_am_text | _am_media | _am_result, 1),
        },
        {},
    )
    | some({"role": st.just("system"), "content": text}, {})
)
anthropic_messages = some(
    {
        "model": name,
        "messages": lists(_am_message, 1),
        "max_tokens": st.integers(1, 9),
    },
    {
        "stream": st.booleans(),
        "system": text | lists(_am_text, 1),
        "tools": lists(
            some(
                {"name": name},
                {
                    "input_schema": schema,
                    "description": text,
                    "strict": st.booleans(),
                    "cache_control": _cache,
                },
            )
            | st.just({"type": "web_search_20250305", "name": "web_search"}),
            1,
        ),
        "tool_choice": st.sampled_from(
            [
                {"type": "auto"},
                {"type": "any", "disable_parallel_tool_use": True},
                {"type": "tool", "name": "x"},
                {"type": "none"},
            ]
        ),
        "temperature": number,
        "top_p": number,
        "top_k": st.integers(0, 5),
        "stop_sequences": st.lists(text, min_size=1, max_size=2),
        "thinking": st.sampled_from(
            [
                {"type": "enabled", "budget_tokens": 2048, "display": "omitted"},
                {"type": "disabled"},
                {"type": "adaptive", "x_new": 1},
                {"type": "between_tools"},
            ]
        ),
        "output_config": some(
            {},
            {
                "effort": st.just("high"),
                "format": st.just({"type": "json_schema", "schema": {"a": 1}}),
            },
        ),
        "metadata": some({}, {"user_id": name}),
        "service_tier": st.just("auto"),
        "cache_control": _cache,
    },
)

# -- openai-responses

_or_text = some(
    {"type": st.just("input_text"), "text": text},
    {"prompt_cache_breakpoint": _breakpoint},
)
_or_media = some(
    {"type": st.just("input_image"), "image_url": _url}, {"detail": st.just("low")}
) | st.sampled_from(
    [
        {"type": "input_file", "file_data": "data:application/pdf;base64,AA"},
        {"type": "input_file", "file_url": "https://x.test/a.pdf", "filename": "a.pdf"},
        {"type": "input_file", "file_id": "file_1"},
        {"type": "input_future", "value": 1},
    ]
)
_or_said = some(
    {"type": st.just("output_text"), "text": text},
    {
        "annotations": st.just(
            [
                {"type": "url_citation", "url": "https://x.test", "title": "t"},
                {"type": "file_citation", "file_id": "f", "index": 3},
            ]
        )
    },
) | st.just({"type": "refusal", "refusal": "no"})
_or_item = (
    some(
        {
            "role": st.sampled_from(["user", "system", "developer"]),
            "content": text | lists(_or_text | _or_media),
        },
        {"type": st.just("message")},
    )
    | some(
        {
            "type": st.just("message"),
            "role": st.just("assistant"),
            "content": text | lists(_or_said, 1),
        },
        {"id": name, "status": st.just("completed")},
    )
    | some(
        {
            "type": st.just("function_call"),
            "call_id": name,
            "name": name,
            "arguments": st.just('{"q": 1.0}'),
        },
        {"id": name, "status": st.just("completed")},
    )
    | some(
        {
            "type": st.just("custom_tool_call"),
            "call_id": name,
            "name": name,
            "input": text,
        },
        {},
    )
    | some(
        {
            "type": st.sampled_from(
                ["function_call_output", "custom_tool_call_output"]
            ),
            "call_id": name,
            "output": text | lists(_or_text | _or_media),
        },
        {"id": name},
    )
    | some(
        {
            "type": st.just("reasoning"),
            "id": st.just("rs_1"),
            "summary": st.just([]) | st.just([{"type": "summary_text", "text": "t"}]),
        },
        {"encrypted_content": st.just("gAAAA")},
    )
    | st.just({"type": "web_search_call", "id": "ws_1", "status": "completed"})
    | st.sampled_from(
        [
            {"type": "item_reference", "id": "msg_1"},
            {"id": "msg_1"},
            {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAAA"},
        ]
    )
)
openai_responses = some(
    {"model": name, "input": text | lists(_or_item, 1)},
    {
        "instructions": text,
        "stream": st.booleans(),
        "tools": lists(
            some(
                {"type": st.just("function"), "name": name},
                {"description": text, "parameters": schema, "strict": st.booleans()},
            )
            | st.sampled_from(
                [
                    {"type": "web_search"},
                    {
                        "type": "custom",
                        "name": "c",
                        "format": {
                            "type": "grammar",
                            "syntax": "lark",
                            "definition": "d",
                        },
                    },
                ]
            ),
            1,
        ),
        "tool_choice": st.sampled_from(
            [
                "auto",
                "required",
                {"type": "function", "name": "x"},
                {"type": "web_search"},
            ]
        ),
        "parallel_tool_calls": st.booleans(),
        "max_output_tokens": st.integers(1, 9),
        "temperature": number,
        "top_p": number,
        "include": st.sampled_from(
            [["reasoning.encrypted_content"], ["message.output_text.logprobs"]]
        ),
        "top_logprobs": st.integers(1, 3),
        "reasoning": some({}, {"effort": st.just("low"), "summary": st.just("auto")}),
        "text": some(
            {},
            {
                "format": st.sampled_from(
                    [
                        {"type": "text"},
                        {"type": "json_object"},
                        {"type": "json_schema", "name": "n", "schema": {"a": 1}},
                        {
                            "type": "json_schema",
                            "name": "n",
                            "description": "d",
                            "schema": {},
                        },
                    ]
                ),
                "verbosity": st.just("low"),
            },
        ),
        "user": name,
        "metadata": metadata,
        "service_tier": st.just("flex"),
        "previous_response_id": name,
        "store": st.booleans(),
    },
)

# -- bedrock-converse

_bc_text = some({"text": text}, {})
_bc_point = st.sampled_from(
    [
        {"cachePoint": {"type": "default"}},
        {"cachePoint": {"type": "default", "ttl": "1h"}},
        {"cachePoint": {"type": "future", "x_new": 1}},
    ]
)
_bc_source = st.sampled_from(
    [
        {"bytes": "AAAA"},
        {"s3Location": {"uri": "s3://bucket/key", "bucketOwner": "123456789012"}},
    ]
)
_bc_media = (
    some(
        {
            "image": some(
                {"format": st.sampled_from(["png", "jpeg", "heic"])},
                {"source": _bc_source},
            )
        },
        {},
    )
    | some(
        {
            "document": some(
                {
                    "name": name,
                    "source": _bc_source
                    | st.just({"text": "t"})
                    | st.just({"content": [{"text": "c"}]}),
                },
                {
                    "format": st.sampled_from(["pdf", "txt", "odt"]),
                    "context": text,
                    "citations": st.just({"enabled": True}),
                },
            )
        },
        {},
    )
    | some({"video": some({"format": st.just("mp4"), "source": _bc_source}, {})}, {})
    | some({"audio": some({"format": st.just("wav"), "source": _bc_source}, {})}, {})
)
_bc_guard = st.sampled_from(
    [
        {"guardContent": {"text": {"text": "g", "qualifiers": ["query"]}}},
        {"guardContent": {"image": {"format": "png", "source": {"bytes": "AAAA"}}}},
    ]
)
_bc_found = st.just(
    {"searchResult": {"source": "s", "title": "t", "content": [{"text": "c"}]}}
)
_bc_result = some(
    {
        "toolResult": some(
            {
                "toolUseId": name,
                "content": lists(
                    _bc_text
                    | _bc_media
                    | _bc_found
                    | some(
                        {"json": st.just({"q": 2**60, "r": [1.50]}) | st.just(["j"])},
                        {},
                    )
                ),
            },
            {"status": st.just("error")},
        )
    },
    {},
)
_bc_said = (
    _bc_text
    | some(
        {
            "toolUse": some(
                {
                    "toolUseId": name,
                    "name": name,
                    "input": st.just({}) | st.just({"q": 2**60, "r": [1.50]}),
                },
                {},
            )
        },
        {},
    )
    | some(
        {
            "reasoningContent": some(
                {"reasoningText": some({"text": text}, {"signature": name})}, {}
            )
        },
        {},
    )
    | some({"reasoningContent": some({"redactedContent": name}, {})}, {})
    | some(
        {
            "citationsContent": some(
                {
                    "content": st.just([{"text": "c"}]),
                    "citations": st.just(
                        [{"title": "t", "location": {"documentPage": {"start": 1}}}]
                    ),
                },
                {},
            )
        },
        {},
    )
    | st.just(
        {"toolUse": {"toolUseId": "s", "name": "w", "type": "server_tool_use"}},
    )
)
_bc_message = some(
    {"role": st.just("assistant"), "content": lists(_bc_said | _bc_point)}, {}
) | some(
    {
        "role": st.sampled_from(["user", "system"]),
        "content": lists(
            _bc_text | _bc_media | _bc_result | _bc_guard | _bc_found | _bc_point
        ),
    },
    {},
)
_bc_tool = (
    some(
        {
            "toolSpec": some(
                {"name": name, "inputSchema": some({"json": schema}, {})},
                {"description": name, "strict": st.booleans()},
            )
        },
        {},
    )
    | _bc_point
    | st.just({"systemTool": {"name": "nova_grounding"}})
)
bedrock_converse = some(
    {"model": name, "messages": lists(_bc_message, 1)},
    {
        "stream": st.booleans(),
        "system": lists(_bc_text | _bc_guard | _bc_point, 1),
        "inferenceConfig": some(
            {},
            {
                "maxTokens": st.integers(1, 9),
                "temperature": number,
                "topP": number,
                "stopSequences": st.lists(text, min_size=1, max_size=3),
            },
        ),
        "toolConfig": some(
            {"tools": lists(_bc_tool, 1)},
            {
                "toolChoice": st.sampled_from(
                    [
                        {"auto": {}},
                        {"any": {}},
                        {"tool": {"name": "x"}},
                        {"future": {"x": 1}},
                    ]
                )
            },
        ),
        "additionalModelRequestFields": st.just([1])
        | some(
            {},
            {
                "top_k": st.integers(0, 5) | st.just(1.5),
                "thinking": st.sampled_from(
                    [
                        {"type": "enabled", "budget_tokens": 2048},
                        {"type": "adaptive", "x_new": 1},
                        {"type": "between_tools"},
                    ]
                ),
                "anthropic_beta": st.just(["b"]),
            },
        ),
        "additionalModelResponseFieldPaths": st.just(["/stop_sequence"]),
        "outputConfig": some(
            {},
            {
                "effort": st.just("high"),
                "textFormat": some(
                    {
                        "type": st.just("json_schema"),
                        "structure": some(
                            {
                                "jsonSchema": some(
                                    {"schema": st.just('{"type": "object"}')},
                                    {"name": name, "description": name},
                                )
                            },
                            {},
                        ),
                    },
                    {},
                )
                | st.just({"type": "future"}),
            },
        ),
        "requestMetadata": metadata,
        "serviceTier": some({"type": st.just("flex")}, {}),
        "performanceConfig": st.just({"latency": "optimized"}),
        "guardrailConfig": st.just({"guardrailIdentifier": "g"}),
    },
)

# -- gemini

_gm_name = st.builds(lambda one: f"f{one}", name)
_gm_signed = {"thoughtSignature": st.just("EpQDCpEDAQ==")}
_gm_said = (
    some({"text": text}, _gm_signed)
    | some({"text": text, "thought": st.just(True)}, _gm_signed)
    | some(
        {
            "functionCall": some(
                {"name": _gm_name},
                {"id": name, "args": st.just({}) | st.just({"q": 2**60, "r": [1.50]})},
            )
        },
        _gm_signed,
    )
    | st.sampled_from(
        [
            {"executableCode": {"language": "PYTHON", "code": "1"}},
            {"thoughtSignature": "EpQDCpEDAQ=="},
        ]
    )
)
_gm_media = some(
    {
        "inlineData": some(
            {
                "mimeType": st.sampled_from(
                    ["image/png", "application/pdf", "audio/wav", "video/mp4"]
                ),
                "data": st.just("AAAA"),
            },
            {"displayName": name},
        )
    },
    {"mediaResolution": st.just({"level": "MEDIA_RESOLUTION_LOW"})},
) | some(
    {
        "fileData": some(
            {
                "fileUri": st.sampled_from(
                    [
                        "https://x.test/a.png",
                        "https://www.youtube.com/watch?v=x",
                        "https://generativelanguage.googleapis.com/v1beta/files/x",
                    ]
                )
            },
            {"mimeType": st.just("image/png")},
        )
    },
    {"videoMetadata": st.just({"fps": 2})},
)
_gm_response = (
    st.dictionaries(st.sampled_from(["output", "error"]), text, max_size=2)
    | st.just({"output": '{"a": 1}'})
    | st.just({"output": {"a": 1.50}, "x_new": None})
    | st.just({"result": [2**60]})
)
_gm_result = some(
    {
        "functionResponse": some(
            {"name": _gm_name, "response": _gm_response},
            {"id": name, "parts": lists(_gm_media, 1), "scheduling": st.just("SILENT")},
        )
    },
    {},
)
_gm_content = some({"role": st.just("model"), "parts": lists(_gm_said, 1)}, {}) | some(
    {"parts": lists(some({"text": text}, {}) | _gm_media | _gm_result, 1)},
    {"role": st.just("user")},
)
_gm_tool = some(
    {
        "functionDeclarations": lists(
            some(
                {"name": _gm_name},
                {
                    "description": text,
                    "parametersJsonSchema": schema,
                    "behavior": st.just("BLOCKING"),
                },
            )
            | some({"name": _gm_name, "parameters": schema}, {}),
            1,
        )
    },
    {"googleSearch": st.just({})},
)
gemini = some(
    {"model": name, "contents": lists(_gm_content, 1)},
    {
        "stream": st.booleans(),
        "systemInstruction": some({"parts": lists(some({"text": text}, {}), 1)}, {}),
        "tools": lists(_gm_tool, 1),
        "toolConfig": some(
            {},
            {
                "functionCallingConfig": st.sampled_from(
                    [
                        {"mode": "AUTO"},
                        {"mode": "ANY"},
                        {"mode": "ANY", "allowedFunctionNames": ["f1"]},
                        {"mode": "ANY", "allowedFunctionNames": ["f1", "f2"]},
                        {"mode": "NONE"},
                        {"mode": "VALIDATED"},
                    ]
                )
            },
        ),
        "generationConfig": some(
            {},
            {
                "maxOutputTokens": st.integers(1, 9),
                "temperature": number,
                "topP": number,
                "topK": st.integers(0, 5),
                "stopSequences": st.lists(text, min_size=1, max_size=6),
                "seed": st.integers(-9, 9),
                "candidateCount": st.integers(1, 3),
                "presencePenalty": number,
                "frequencyPenalty": number,
                "responseLogprobs": st.just(True),
                "logprobs": st.integers(0, 3),
                "responseMimeType": st.sampled_from(
                    ["application/json", "text/plain", "text/x.enum"]
                ),
                "responseJsonSchema": schema,
                "responseModalities": st.just(["TEXT"]),
                "thinkingConfig": some(
                    {},
                    {
                        "includeThoughts": st.booleans(),
                        "thinkingBudget": st.integers(-1, 1),
                        "thinkingLevel": st.just("LOW"),
                    },
                ),
            },
        ),
        "safetySettings": st.just(
            [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}]
        ),
        "cachedContent": st.just("cachedContents/x"),
    },
)

BODIES = {
    "openai-chat": ("/v1/chat/completions", openai_chat),
    "openai-responses": ("/v1/responses", openai_responses),
    "anthropic-messages": ("/v1/messages", anthropic_messages),
    "bedrock-converse": ("/converse", bedrock_converse),
    "gemini": ("/v1beta/models/{model}:generateContent", gemini),
}
