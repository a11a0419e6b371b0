"""
What issue 3 promises of every dialect, over generated answers: what is written reads
the same again, streamed or whole; no cut of the bytes changes what a client of any
other dialect is told; and nothing a provider sends makes a reader raise.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from aigw import framing
from aigw.model.answer import Answer
from aigw.model.event import Failed
from aigw.model.frame import SSEFrame
from aigw.model.rendered import Rendered
from aigw.streaming.convert import Converted

from .answers import answers, said, told
from .streams import CHAT_DIALECTS, call_of, chat, gathered, read, write
from .test_round_trips import relaxed
from .test_streams import check_grammar, without_native

dialects = st.sampled_from(CHAT_DIALECTS)
given_answers = dialects.flatmap(lambda name: st.tuples(st.just(name), answers(name)))
given_streams = given_answers.flatmap(
    lambda one: st.tuples(st.just(one[0]), st.just(one[1]), told(one[1]))
)


def reread(name: str, answer: Answer) -> Answer:
    """A whole answer, written and read."""
    ours = chat(name)
    body = ours.writer(call_of(name, include_usage=True), 1, "r").whole(answer)
    again = ours.reader(Rendered(b"")).whole(body)
    assert isinstance(again, Answer)
    return again


@relaxed
@given(given_streams)
def test_all_that_is_said_in_a_stream_is_read_again(given: Any) -> None:
    name, answer, events = given
    frames = write(name, events, include_usage=True)
    first = read(name, frames)
    check_grammar(first)
    once = gathered(name, first)
    assert said(once) == said(answer)
    second = read(name, write(name, first, include_usage=True))
    assert without_native(gathered(name, second)) == without_native(once)


@relaxed
@given(given_answers)
def test_all_that_is_said_in_a_whole_answer_is_read_again(given: Any) -> None:
    name, answer = given
    once = reread(name, answer)
    assert said(once) == said(answer)
    assert without_native(reread(name, once)) == without_native(once)


@relaxed
@given(given_streams, dialects, st.data())
def test_no_cut_of_the_bytes_changes_what_any_client_is_told(
    given: Any, target: str, data: Any
) -> None:
    name, _, events = given
    ours, theirs = framing.get(chat(target).framing), framing.get(chat(name).framing)
    raw = b"".join(map(theirs.encode, write(name, events, include_usage=True)))
    places = sorted(data.draw(st.sets(st.integers(0, len(raw)), max_size=12)))

    def way() -> Converted:
        reader = chat(name).reader(Rendered(b""))
        writer = chat(target).writer(call_of(target, include_usage=True), 1, "r")
        return Converted(theirs, reader, writer, ours)

    once, cut = way(), way()
    expected = once.feed(raw) + once.end()
    bounds = [0, *places, len(raw)]
    pieces = [raw[a:b] for a, b in pairwise(bounds)]
    assert b"".join(map(cut.feed, pieces)) + cut.end() == expected
    assert once.failed is None


# -- whatever comes

small = st.none() | st.booleans() | st.integers(-1, 2) | st.sampled_from(["", "x"])
odd = st.recursive(
    small,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["text", "id", "type", "x"]), inner)
    ),
    max_leaves=4,
)


def shaped(**optional: Any) -> Any:
    """An object of these members, each absent, right, or anything."""
    return st.fixed_dictionaries(
        {}, optional={name: one | odd for name, one in optional.items()}
    )


def several(one: Any) -> Any:
    return st.lists(one | odd, max_size=3)


word = st.sampled_from
DETAIL = shaped(
    type=word(["reasoning.text", "reasoning.encrypted", "reasoning.summary"]),
    text=word(["Hm", ""]),
    signature=word(["c2ln"]),
    data=word(["c2ln"]),
    id=word(["call_0", "call_1"]),
    format=word(["google-gemini-v1", "anthropic-claude-v1", "x"]),
)
FUNCTION = shaped(name=word(["f"]), arguments=word(["{", "}", "{}", ""]))
IMAGE = shaped(image_url=shaped(url=word(["data:image/png;base64,AA", "https://x/"])))
CITED = shaped(
    type=word(["url_citation"]), url_citation=shaped(url=word(["https://x"]))
)
DELTA = shaped(
    content=word(["Hi", ""]) | several(shaped(text=word(["Hi"]))),
    refusal=word(["No"]),
    reasoning_content=word(["Hm"]),
    reasoning=word(["Hm"]),
    reasoning_details=several(DETAIL),
    tool_calls=several(
        shaped(
            index=st.integers(0, 1), id=word(["call_0", "call_1"]), function=FUNCTION
        )
    ),
    annotations=several(CITED),
    audio=shaped(id=word(["a"]), data=word(["AA"]), transcript=word(["a"])),
    images=several(IMAGE),
)
CHUNK = shaped(
    choices=several(
        shaped(
            index=st.integers(0, 1),
            delta=DELTA,
            message=DELTA,
            logprobs=shaped(content=several(shaped(token=word(["x"])))),
            finish_reason=word(["stop", "length", "tool_calls"]),
        )
    ),
    usage=shaped(prompt_tokens=st.integers(0, 9), completion_tokens=st.integers(0, 9)),
    error=shaped(message=word(["no"])),
    id=word(["c"]),
)
PART = shaped(
    text=word(["Hi", ""]),
    thought=st.booleans(),
    thoughtSignature=word(["c2ln", "YWlndy5yZWRhY3RlZC5hbnRocm9waWMueA=="]),
    functionCall=shaped(name=word(["f"]), id=word(["1"]), args=shaped(x=small)),
    inlineData=shaped(
        mimeType=word(["image/png", "audio/wav", "x"]), data=word(["AA"])
    ),
    executableCode=shaped(code=word(["1"])),
)
CONTENT = shaped(
    candidates=several(
        shaped(
            content=shaped(parts=several(PART)),
            index=st.integers(0, 1),
            finishReason=word(["STOP", "SAFETY", "FINISH_REASON_UNSPECIFIED", "NEW"]),
            citationMetadata=shaped(citations=several(shaped(uri=word(["https://x"])))),
            groundingMetadata=shaped(x=small),
            logprobsResult=shaped(
                chosenCandidates=several(
                    shaped(token=word(["x"]), logProbability=small)
                )
            ),
        )
    ),
    promptFeedback=shaped(blockReason=word(["SAFETY"])),
    usageMetadata=shaped(promptTokenCount=st.integers(0, 9)),
    error=shaped(code=st.integers(300, 600), message=word(["no"])),
    responseId=word(["r"]),
)
BLOCK = shaped(
    type=word("text thinking tool_use redacted_thinking server_tool_use".split()),
    text=word(["Hi", ""]),
    thinking=word(["Hm"]),
    signature=word(["c2ln", "aigw.gemini:0123456789abcdef.x"]),
    data=word(["c2ln", "aigw.gemini:0123456789abcdef.x"]),
    id=word(["toolu_1"]),
    name=word(["f"]),
    input=shaped(x=small),
    citations=several(shaped(url=word(["https://x"]))),
)
MESSAGE_EVENT = shaped(
    type=word(
        "message_start content_block_start content_block_delta content_block_stop "
        "message_delta message_stop ping error".split()
    ),
    index=st.integers(0, 1),
    message=shaped(id=word(["msg_1"]), usage=shaped(input_tokens=st.integers(0, 9))),
    content=several(BLOCK),
    content_block=BLOCK,
    delta=shaped(
        type=word(
            "text_delta thinking_delta signature_delta input_json_delta "
            "citations_delta".split()
        ),
        text=word(["Hi", ""]),
        thinking=word(["Hm"]),
        signature=word(["c2ln"]),
        partial_json=word(["{", "}", "{}"]),
        citation=shaped(url=word(["https://x"])),
        stop_reason=word(["end_turn", "tool_use", "new"]),
    ),
    usage=shaped(output_tokens=st.integers(0, 9)),
    error=shaped(type=word(["overloaded_error"]), message=word(["no"])),
)
SHAPES = {"openai-chat": CHUNK, "gemini": CONTENT, "anthropic-messages": MESSAGE_EVENT}


@relaxed
@given(
    st.sampled_from(sorted(SHAPES)).flatmap(
        lambda name: st.tuples(st.just(name), st.lists(SHAPES[name] | odd, max_size=5))
    )
)
def test_odd_streams_keep_the_grammar_and_can_be_told_to_anybody(given: Any) -> None:
    """The other two dialects have tests of their own for this."""
    name, chunks = given
    raw = [msgspec.json.encode(chunk) for chunk in chunks]
    events = read(name, [SSEFrame(data=one) for one in raw])
    check_grammar(events)
    for other in CHAT_DIALECTS:
        check_grammar(read(other, write(other, events, include_usage=True)))
    for one in raw:
        answer = chat(name).reader(Rendered(b"")).whole(one)
        assert isinstance(answer, Answer | Failed)
        if isinstance(answer, Answer):
            for other in CHAT_DIALECTS:
                chat(other).writer(call_of(other), 1, "r").whole(answer)
