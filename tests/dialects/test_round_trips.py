"""parse, render, parse again: nothing a dialect can say is lost on the way."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aigw import dialects
from aigw.errors import BadRequest
from aigw.model.rendered import Rendered, Target

from .bodies import BODIES
from .requests import request
from .streams import CHAT_DIALECTS, chat

#: Generated bodies are large, and the machine is shared.
relaxed = settings(
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def bodies() -> Any:
    """(dialect, body) of any chat dialect."""
    return st.sampled_from(sorted(BODIES)).flatmap(
        lambda name: st.tuples(st.just(name), BODIES[name][1])
    )


def test_every_chat_dialect_has_bodies() -> None:
    assert sorted(BODIES) == CHAT_DIALECTS


@relaxed
@given(bodies())
def test_parse_render_parse_is_parse(given: tuple[str, dict[str, Any]]) -> None:
    name, body = given
    path, _ = BODIES[name]
    ours = chat(name)
    envelope = request(path, msgspec.json.encode(body))
    assert dialects.detect(envelope) is ours
    call = ours.parse(envelope)
    rendered = ours.render(call, Target())
    assert rendered.dropped == ()
    assert ours.parse(request(path, rendered.body)) == call


def leaves(value: Any) -> set[str]:
    """Every string and number in JSON, and every key that nobody knows."""
    if isinstance(value, dict):
        inner = [leaves(one) for one in value.values()]
        return {key for key in value if key.startswith("x")}.union(*inner)
    if isinstance(value, list):
        return set().union(*map(leaves, value))
    if value is None or value == "" or isinstance(value, bool):
        return set()
    return {repr(value)}


@relaxed
@given(bodies())
def test_nothing_the_client_said_is_lost_in_its_own_dialect(
    given: tuple[str, dict[str, Any]],
) -> None:
    name, body = given
    call = chat(name).parse(request(BODIES[name][0], msgspec.json.encode(body)))
    again = msgspec.json.decode(chat(name).render(call, Target()).body)
    for message in body.get("messages", ()):
        if "reasoning_details" in message:
            message.pop("reasoning_content", None)  # they say it too
    config = body.get("generationConfig", {})
    if config.get("responseLogprobs") and config.get("logprobs") == 0:
        del config["logprobs"]  # silence says it too
    # A lone text block may be written as a string, and messages need no type.
    words = {"'text'", "'input_text'", "'output_text'", "'message'"}
    assert leaves(body) - leaves(again) <= words


@relaxed
@given(bodies(), st.sampled_from(sorted(BODIES)))
def test_any_call_is_rendered_or_refused_for_any_target(
    given: tuple[str, dict[str, Any]], target: str
) -> None:
    name, body = given
    call = chat(name).parse(request(BODIES[name][0], msgspec.json.encode(body)))
    try:
        rendered = chat(target).render(call, Target())
    except BadRequest:
        assert name != target
        return
    assert isinstance(rendered, Rendered)
    again = chat(target).parse(request(BODIES[target][0], rendered.body))
    assert again.model == call.model
    assert [call.stream] == [again.stream]


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "role content type text messages system tools tool_calls function id "
                "name source input tool_choice image_url thinking metadata stop "
                "call_id output arguments summary encrypted_content format".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=14,
)


@relaxed
@given(st.dictionaries(st.text(max_size=3), anything, max_size=2), anything, anything)
def test_wrong_bodies_are_refused_and_nothing_else_is_raised(
    more: dict[str, Any], messages: Any, tools: Any
) -> None:
    body = {**more, "messages": [messages], "tools": [tools], "thinking": messages}
    body |= {"input": [messages], "text": messages, "reasoning": tools}
    for name, (path, _) in BODIES.items():
        for one in (body, {**more, "messages": messages, "input": messages}):
            try:
                call = chat(name).parse(request(path, msgspec.json.encode(one)))
                for target in CHAT_DIALECTS:
                    chat(target).render(call, Target())
            except BadRequest:
                continue
