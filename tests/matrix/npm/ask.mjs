// Asks by the official npm packages what it reads on standard input, one JSON object a
// line, and writes what they told, likewise. The names are those of turns.py.

import { createInterface } from "node:readline";

import * as anthropic from "./anthropic.mjs";
import * as chat from "./chat.mjs";
import * as responses from "./responses.mjs";

const kinds = { chat, responses, anthropic };
const clients = new Map();

// One client of each kind for each upstream, as a program would have.
function client(kind, base, headers) {
  const key = JSON.stringify([kind, base, headers]);
  if (!clients.has(key)) clients.set(key, kinds[kind].open(base, headers));
  return clients.get(key);
}

async function answer({ number, kind, base, headers, count, asking }) {
  try {
    const sdk = client(kind, base, headers);
    if (count) return { number, count: await kinds[kind].count(sdk, count) };
    return { number, told: await kinds[kind].ask(sdk, asking) };
  } catch (error) {
    const { status = null, message = String(error) } = error;
    const name = error instanceof responses.ErrorEvent ? error.name : error.constructor.name;
    const known = kinds[kind].owns(error);
    return { number, error: { name, status, message, known } };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  answer(JSON.parse(line)).then((told) => {
    process.stdout.write(JSON.stringify(told) + "\n");
  });
}
