// The npm package `openai`: Chat Completions.

import assert from "node:assert/strict";

import OpenAI from "openai";

export function open(base, headers) {
  return new OpenAI({
    apiKey: "sk-client",
    baseURL: `${base}/v1`,
    defaultHeaders: headers,
    maxRetries: 0,
    timeout: 20_000,
  });
}

export const owns = (error) => error instanceof OpenAI.OpenAIError;

export async function ask(sdk, asking) {
  const body = { model: asking.model, messages: messages(asking) };
  if (asking.tools) {
    body.tools = asking.tools.map(([name, description, parameters]) => ({
      type: "function",
      function: { name, description, parameters },
    }));
  }
  if (asking.think) body.reasoning_effort = "low";
  if (asking.schema) {
    const json_schema = { name: asking.schema_name, schema: asking.schema, strict: true };
    body.response_format = { type: "json_schema", json_schema };
  }
  if (!asking.stream) return whole(await sdk.chat.completions.create(body));
  // The helper accumulates the chunks, and checks them while it does.
  const stream = sdk.chat.completions.stream({
    ...body,
    stream_options: { include_usage: true },
  });
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return streamed(chunks, await stream.finalChatCompletion());
}

function messages({ prompt, image, before, results, then }) {
  const picture = { type: "image_url", image_url: { url: `data:image/png;base64,${image}` } };
  const content = image ? [{ type: "text", text: prompt }, picture] : prompt;
  const told = [{ role: "user", content }];
  if (before) told.push(before);
  for (const [tool_call_id, text] of results) {
    told.push({ role: "tool", tool_call_id, content: text });
  }
  if (then) told.push({ role: "user", content: then });
  return told;
}

function whole({ choices, usage }) {
  assert.equal(choices.length, 1);
  const [{ message, finish_reason }] = choices;
  const calls = (message.tool_calls ?? []).map((call) => ({
    id: call.id,
    name: call.function.name,
    arguments: call.function.arguments,
    pieces: 1,
  }));
  return {
    text: message.content ?? "",
    pieces: 1,
    thought: reasoning(message),
    calls,
    stop: finish_reason,
    usage: tokens(usage),
    kept: message,
  };
}

function streamed(chunks, final) {
  assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
  const deltas = chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.delta));
  const told = whole(final);
  const texts = deltas.map((delta) => delta.content ?? "").filter(Boolean);
  assert.equal(texts.join(""), told.text);
  told.pieces = texts.length;
  told.calls.forEach((call, index) => {
    const pieces = deltas
      .flatMap((delta) => delta.tool_calls ?? [])
      .filter((piece) => piece.index === index)
      .map((piece) => piece.function?.arguments ?? "");
    assert.equal(pieces.join(""), call.arguments);
    call.pieces = pieces.filter(Boolean).length;
  });
  // What the package does not know, it does not accumulate.
  told.thought = deltas.map(reasoning).join("");
  const details = [];
  for (const detail of deltas.flatMap((delta) => delta.reasoning_details ?? [])) {
    // Pieces of one detail have its index.
    const held = details[detail.index];
    const text = (held?.text ?? "") + (detail.text ?? "");
    details[detail.index] = { ...held, ...detail, ...(text && { text }) };
  }
  const { role, content, tool_calls } = final.choices[0].message;
  told.kept = { role, content };
  if (tool_calls?.length) {
    told.kept.tool_calls = tool_calls.map(({ id, type, function: { name, arguments: text } }) => ({
      id,
      type,
      function: { name, arguments: text },
    }));
  }
  if (told.thought) told.kept.reasoning_content = told.thought;
  if (details.length) told.kept.reasoning_details = details;
  const usages = chunks.map((chunk) => chunk.usage).filter(Boolean);
  assert.equal(usages.length, 1);
  told.usage = tokens(usages[0]);
  return told;
}

// Vendors do not agree on the name.
function reasoning(said) {
  return said.reasoning_content ?? said.reasoning ?? "";
}

function tokens(usage) {
  assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
  const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
  return {
    fresh: usage.prompt_tokens - cached,
    cached,
    output: usage.completion_tokens,
    reasoning: usage.completion_tokens_details?.reasoning_tokens ?? null,
  };
}
