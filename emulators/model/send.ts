import type { ServerResponse } from "node:http";
import type { Answered } from "./answer.ts";
import { errorBody } from "./refusal.ts";
import type { Hooks, LoggedRequest } from "./request-log.ts";
import type { ScriptedReply } from "./script.ts";
import type { PingEvent } from "./wire.ts";

type Sending = {
  response: ServerResponse;
  answered: Answered;
  /** Its faults befall the answer. */
  reply: Exclude<ScriptedReply, string> | null;
  stream: boolean;
  entry: LoggedRequest;
  hooks: Hooks;
};

const JSON_TYPE = { "content-type": "application/json" };
const STREAM_TYPE = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };
const PING: PingEvent = { type: "ping" };

/** Sends the answer in the form asked for, unless the script breaks it. */
export async function sendMessage(sending: Sending): Promise<void> {
  const { response, answered, reply, stream } = sending;
  if (reply?.cutAfter === 0) response.destroy();
  else if (reply?.garbage !== undefined) response.writeHead(200, stream ? STREAM_TYPE : JSON_TYPE).end(reply.garbage);
  else if (stream) await sendEvents(sending);
  else {
    const body = JSON.stringify(answered.message);
    response.writeHead(200, { ...JSON_TYPE, "content-length": Buffer.byteLength(body) });
    if (reply?.cutAfter === undefined) response.end(body);
    else response.write(body.slice(0, body.length / 2), () => response.destroy());
  }
}

async function sendEvents({ response, answered, reply, entry, hooks }: Sending): Promise<void> {
  response.writeHead(200, STREAM_TYPE);
  for (const [index, event] of answered.events.entries()) {
    if (index === reply?.cutAfter) return void response.destroy();
    if (index === reply?.failAfter?.events) {
      const { type, message = "Said by the script" } = reply.failAfter;
      response.end(sse(errorBody(type, message, `req_emulated_${entry.n}`)));
      return;
    }
    await hooks.onEvent?.(entry, event);
    if (reply?.betweenMs) await new Promise((done) => setTimeout(done, reply.betweenMs));
    if (response.destroyed) return;
    await write(response, sse(event));
    if (event.type === "message_start") await write(response, sse(PING));
  }
  response.end();
}

const sse = (event: { type: string }): string => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

/** Resolves when it has left, or never will. */
function write(response: ServerResponse, text: string): Promise<void> {
  return new Promise((done) => response.write(text, () => done()));
}
