// The npm package `@anthropic-ai/sdk`: Messages, with its stream helper.

import assert from "node:assert/strict";

import Anthropic from "@anthropic-ai/sdk";

export function open(base, headers) {
  return new Anthropic({
    apiKey: "sk-client",
    baseURL: base,
    defaultHeaders: headers,
    maxRetries: 0,
    timeout: 20_000,
  });
}

export const owns = (error) => error instanceof Anthropic.AnthropicError;

export async function ask(sdk, asking) {
  const body = { model: asking.model, max_tokens: 4000, messages: messages(asking) };
  if (asking.tools) {
    body.tools = asking.tools.map(([name, description, input_schema]) => ({
      name,
      description,
      input_schema,
    }));
  }
  if (asking.think) body.thinking = { type: "enabled", budget_tokens: 1024 };
  if (asking.schema) {
    body.output_config = { format: { type: "json_schema", schema: asking.schema } };
  }
  if (!asking.stream) return told(await sdk.messages.create(body));
  const stream = sdk.messages.stream(body);
  const events = [];
  for await (const event of stream) events.push(event);
  return streamed(events, await stream.finalMessage());
}

export async function count(sdk, { model, prompt }) {
  const asked = [{ role: "user", content: prompt }];
  return (await sdk.messages.countTokens({ model, messages: asked })).input_tokens;
}

function messages({ prompt, image, before, results, then }) {
  const content = [{ type: "text", text: prompt }];
  if (image) {
    const source = { type: "base64", media_type: "image/png", data: image };
    content.push({ type: "image", source });
  }
  const turns = [{ role: "user", content }];
  if (before) turns.push({ role: "assistant", content: before });
  const more = results.map(([tool_use_id, text]) => ({
    type: "tool_result",
    tool_use_id,
    content: text,
  }));
  if (then) more.push({ type: "text", text: then });
  if (more.length) turns.push({ role: "user", content: more });
  return turns;
}

function streamed(events, message) {
  const answer = told(message);
  const deltas = events.filter((event) => event.type === "content_block_delta");
  const texts = deltas.filter(({ delta }) => delta.type === "text_delta");
  assert.equal(texts.map(({ delta }) => delta.text).join(""), answer.text);
  answer.pieces = texts.filter(({ delta }) => delta.text).length;
  const places = message.content.flatMap(({ type }, index) => (type === "tool_use" ? [index] : []));
  places.forEach((place, number) => {
    const pieces = deltas
      .filter(({ index, delta }) => index === place && delta.type === "input_json_delta")
      .map(({ delta }) => delta.partial_json);
    const call = answer.calls[number];
    assert.deepEqual(JSON.parse(pieces.join("")), JSON.parse(call.arguments));
    call.pieces = pieces.filter(Boolean).length;
  });
  return answer;
}

function told({ role, content, stop_reason, usage }) {
  assert.equal(role, "assistant");
  const of = (kind) => content.filter(({ type }) => type === kind);
  return {
    text: of("text").map(({ text }) => text).join(""),
    pieces: 1,
    thought: of("thinking").map(({ thinking }) => thinking).join(""),
    calls: of("tool_use").map(({ id, name, input }) => ({
      id,
      name,
      arguments: JSON.stringify(input),
      pieces: 1,
    })),
    stop: stop_reason,
    usage: {
      fresh: usage.input_tokens + (usage.cache_creation_input_tokens ?? 0),
      cached: usage.cache_read_input_tokens ?? 0,
      output: usage.output_tokens,
      reasoning: null,
    },
    kept: content,
  };
}
