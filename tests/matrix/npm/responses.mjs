// The npm package `openai`: Responses.

import assert from "node:assert/strict";

import * as chat from "./chat.mjs";

export const open = chat.open;
export const owns = (error) => error instanceof ErrorEvent || chat.owns(error);

export async function ask(sdk, asking) {
  const body = { model: asking.model, input: items(asking), store: false };
  if (asking.tools) {
    body.tools = asking.tools.map(([name, description, parameters]) => ({
      type: "function",
      name,
      description,
      parameters,
      strict: false,
    }));
  }
  if (asking.think) {
    body.reasoning = { effort: "low", summary: "auto" };
    body.include = ["reasoning.encrypted_content"];
  }
  if (asking.schema) {
    const { schema, schema_name: name } = asking;
    body.text = { format: { type: "json_schema", name, schema, strict: true } };
  }
  if (!asking.stream) return told(await sdk.responses.create(body));
  const stream = sdk.responses.stream(body);
  const events = [];
  for await (const event of stream) events.push(event);
  return streamed(events);
}

export async function count(sdk, { model, prompt }) {
  return (await sdk.responses.inputTokens.count({ model, input: prompt })).input_tokens;
}

function items({ prompt, image, before, results, then }) {
  const content = [{ type: "input_text", text: prompt }];
  if (image) {
    const image_url = `data:image/png;base64,${image}`;
    content.push({ type: "input_image", image_url, detail: "auto" });
  }
  return [
    { role: "user", content },
    ...(before ?? []),
    ...results.map(([call_id, output]) => ({ type: "function_call_output", call_id, output })),
    ...(then ? [{ role: "user", content: then }] : []),
  ];
}

// The event `error`: without an object `error` in it, it is told as any other event.
export class ErrorEvent extends Error {
  name = "error";
}

function streamed(events) {
  const { type, response: final, message } = events.at(-1);
  if (type === "error") throw new ErrorEvent(message);
  assert.equal(type, `response.${final.status}`);
  const answer = told(final);
  events.forEach((event, index) => assert.equal(event.sequence_number, index));
  const deltas = (type, place) =>
    events
      .filter((event) => event.type === type && (place === undefined || event.output_index === place))
      .map((event) => event.delta);
  const texts = deltas("response.output_text.delta");
  assert.equal(texts.join(""), answer.text);
  answer.pieces = texts.length;
  const places = events
    .filter((event) => event.type === "response.output_item.added")
    .filter((event) => event.item.type === "function_call")
    .map((event) => event.output_index);
  assert.equal(places.length, answer.calls.length);
  answer.calls.forEach((call, index) => {
    const pieces = deltas("response.function_call_arguments.delta", places[index]);
    assert.equal(pieces.join(""), call.arguments);
    call.pieces = pieces.filter(Boolean).length;
  });
  return answer;
}

function told({ status, incomplete_details, output, usage }) {
  assert.equal(usage.total_tokens, usage.input_tokens + usage.output_tokens);
  const cached = usage.input_tokens_details.cached_tokens;
  const thoughts = output.filter((item) => item.type === "reasoning");
  return {
    // `output_text` is there only where the helper knows the end of the stream.
    text: output
      .flatMap(({ type, content }) => (type === "message" ? content : []))
      .map(({ text }) => text)
      .join(""),
    pieces: 1,
    thought: thoughts.flatMap((item) => item.summary.map((part) => part.text)).join(""),
    calls: output
      .filter((item) => item.type === "function_call")
      .map((item) => ({ id: item.call_id, name: item.name, arguments: item.arguments, pieces: 1 })),
    stop: incomplete_details ? `${status}: ${incomplete_details.reason}` : status,
    usage: {
      fresh: usage.input_tokens - cached,
      cached,
      output: usage.output_tokens,
      reasoning: usage.output_tokens_details.reasoning_tokens,
    },
    // The helper adds what it parsed; no API takes that.
    kept: output.map(({ parsed_arguments, ...item }) => ({
      ...item,
      ...(item.content && {
        content: item.content.map(({ parsed, ...part }) => part),
      }),
    })),
  };
}
