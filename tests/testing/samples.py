"""Samples of every dialect: requests, and the answers under ``fixtures/``."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

from aigw.framing import get
from aigw.mock.eventstream import frame
from aigw.model.envelope import Envelope

FIXTURES = Path(__file__).parents[2] / "fixtures" / "dialects"

PATHS = {
    "anthropic-messages": "/v1/messages",
    "openai-responses": "/v1/responses",
    "openai-chat": "/v1/chat/completions",
    "bedrock-converse": "/model/m/converse-stream",
    "gemini": "/v1beta/models/m:streamGenerateContent?alt=sse",
    "openai-embeddings": "/v1/embeddings",
    "bedrock-invoke": "/model/m/invoke-with-response-stream",
    "vertex-raw-predict": "/v1/projects/p/locations/l/publishers/anthropic/models/m:"
    "streamRawPredict",
    "passthrough": "/v1/completions",
}

BODIES: dict[str, tuple[bytes, ...]] = {
    "anthropic-messages": (
        b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}',
        b'{"model":"m","max_tokens":9,"stream":true,"system":"Be brief",'
        b'"metadata":{"user_id":"u"},"stop_sequences":["."],"temperature":0.5,'
        b'"tools":[{"name":"look","description":"d","input_schema":{"type":"object"}}],'
        b'"tool_choice":{"type":"auto"},"messages":['
        b'{"role":"user","content":[{"type":"text","text":"Look"}]},'
        b'{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"look",'
        b'"input":{"a":1}}]},'
        b'{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1",'
        b'"content":"seen"}]}]}',
    ),
    "openai-responses": (
        b'{"model":"m","input":"Hi"}',
        b'{"model":"m","stream":true,"instructions":"Be brief","user":"u",'
        b'"temperature":0.5,"max_output_tokens":9,'
        b'"tools":[{"type":"function","name":"look","parameters":{"type":"object"},'
        b'"strict":true}],"tool_choice":"auto","input":['
        b'{"role":"user","content":[{"type":"input_text","text":"Look"}]},'
        b'{"type":"function_call","call_id":"c1","name":"look","arguments":"{}"},'
        b'{"type":"function_call_output","call_id":"c1","output":"seen"}]}',
    ),
    "openai-chat": (
        b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}',
        b'{"model":"m","stream":true,"user":"u","temperature":0.5,"n":2,'
        b'"stream_options":{"include_usage":true},"max_tokens":9,"stop":["."],'
        b'"tools":[{"type":"function","function":{"name":"look","description":"d",'
        b'"parameters":{"type":"object"}}}],"tool_choice":"auto","messages":['
        b'{"role":"system","content":"Be brief"},'
        b'{"role":"user","content":[{"type":"text","text":"Look"},'
        b'{"type":"image_url","image_url":{"url":"https://a.example/b.png"}}]},'
        b'{"role":"assistant","content":null,"tool_calls":[{"id":"c1",'
        b'"type":"function","function":{"name":"look","arguments":"{}"}}]},'
        b'{"role":"tool","tool_call_id":"c1","content":"seen"}]}',
    ),
    "bedrock-converse": (
        b'{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}',
        b'{"system":[{"text":"Be brief"}],"inferenceConfig":{"maxTokens":9,'
        b'"temperature":0.5,"stopSequences":["."]},"requestMetadata":{"a":"b"},'
        b'"toolConfig":{"tools":[{"toolSpec":{"name":"look","description":"d",'
        b'"inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{"auto":{}}},'
        b'"messages":[{"role":"user","content":[{"text":"Look"}]},'
        b'{"role":"assistant","content":[{"toolUse":{"toolUseId":"t1","name":"look",'
        b'"input":{"a":1}}}]},'
        b'{"role":"user","content":[{"toolResult":{"toolUseId":"t1",'
        b'"content":[{"text":"seen"}]}}]}]}',
    ),
    "gemini": (
        b'{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}',
        b'{"systemInstruction":{"parts":[{"text":"Be brief"}]},'
        b'"generationConfig":{"maxOutputTokens":9,"temperature":0.5,"topK":3,'
        b'"stopSequences":["."],"thinkingConfig":{"thinkingBudget":1024}},'
        b'"tools":[{"functionDeclarations":[{"name":"look","description":"d",'
        b'"parametersJsonSchema":{"type":"object"}}]}],'
        b'"toolConfig":{"functionCallingConfig":{"mode":"AUTO"}},"contents":['
        b'{"role":"user","parts":[{"text":"Look"}]},'
        b'{"role":"model","parts":[{"functionCall":{"name":"look","args":{"a":1}}}]},'
        b'{"role":"user","parts":[{"functionResponse":{"name":"look",'
        b'"response":{"result":"seen"}}}]}]}',
    ),
    "openai-embeddings": (
        b'{"model":"m","input":"Hi"}',
        b'{"model":"m","input":["a","b"],"user":"u","stream":true}',
    ),
    "passthrough": (b'{"model":"m","prompt":"Hi"}', b'{"stream":true,"x":[1]}'),
}

#: Dialects that carry Messages, and the version their bodies name.
CARRYING = {
    "bedrock-invoke": "bedrock-2023-05-31",
    "vertex-raw-predict": "vertex-2023-10-16",
}
for _name, _version in CARRYING.items():
    _bodies = [json.loads(body) for body in BODIES["anthropic-messages"]]
    for _body in _bodies:
        del _body["model"]
        _body.pop("stream", None)
        _body["anthropic_version"] = _version
    BODIES[_name] = tuple(json.dumps(body).encode() for body in _bodies)

#: Answers of dialects that have no fixtures.
ANSWERS: dict[str, list[bytes]] = {
    "openai-embeddings": [
        b'{"object":"list","model":"m","data":[{"embedding":[0.5,1]}],'
        b'"usage":{"prompt_tokens":3,"total_tokens":3}}'
    ],
}
STREAMS: dict[str, list[bytes]] = {
    "passthrough": [b'data: {"x":"y"}\n\n: odd\n\nevent: z\ndata: [DONE]\n\n']
}


#: A stream that breaks off before it has begun.
REFUSED = frame(
    {
        ":message-type": "exception",
        ":exception-type": "throttlingException",
        ":content-type": "application/json",
    },
    b'{"message":"slow down"}',
)


def chunks(stream: bytes) -> bytes:
    """A stream of Messages as Bedrock carries it."""
    datas = [event.data or b"" for event in get("sse").decode(stream)]
    return b"".join(map(chunk, datas))


def chunk(data: bytes) -> bytes:
    """One part of the answer of an invoked model."""
    payload = {"bytes": b64encode(data).decode(), "p": "abcdef"[: len(data) % 6]}
    headers = {
        ":event-type": "chunk",
        ":content-type": "application/json",
        ":message-type": "event",
    }
    return frame(headers, json.dumps(payload).encode())


def requests(dialect: str) -> list[Envelope]:
    """Requests of the dialect."""
    target = PATHS[dialect]
    path, _, query = target.partition("?")
    envelopes = []
    for body in BODIES[dialect]:
        envelope = Envelope("POST", path, target.encode(), query.encode(), [])
        envelope.open(body)
        envelopes.append(envelope)
    return envelopes


def streams(dialect: str) -> list[bytes]:
    """Streamed answers, one of them an error, as they came."""
    if dialect in CARRYING:
        carried = streams("anthropic-messages")
        return [*map(chunks, carried), REFUSED] if "invoke" in dialect else carried
    found = _fixtures(dialect, "*.sse") + _fixtures(dialect, "*.eventstream")
    return found or STREAMS.get(dialect, [])


def answers(dialect: str) -> list[bytes]:
    """JSON answers, as they came."""
    if dialect in CARRYING:
        dialect = "anthropic-messages"
    return _fixtures(dialect, "*.json") or ANSWERS.get(dialect, [])


def _fixtures(dialect: str, pattern: str) -> list[bytes]:
    found = sorted((FIXTURES / dialect).glob(pattern))
    return [path.read_bytes() for path in found]
