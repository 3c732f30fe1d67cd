import type { MessagesRequest } from "./request-schema.ts";
import type { StopDetails, StopReason } from "./wire.ts";

/** A request as scripts and hooks see it. `n` counts from 1. */
export type SeenRequest = {
  n: number;
  model: string;
  /** The system prompt's text. */
  system: string;
  /** The last message's text. */
  text: string;
  body: MessagesRequest;
};

export type ScriptedBlock =
  | { type: "text"; text: string }
  | { type: "thinking"; thinking: string }
  | { type: "tool_use"; name: string; input: Record<string, unknown> };

export type ScriptedReply =
  | string
  | {
      /** What it says: one of these. `json` is for structured output. */
      text?: string;
      json?: unknown;
      blocks?: ScriptedBlock[];
      /** Else `end_turn`, or `tool_use` with a use of a tool, or what the request's limits make of it. */
      stopReason?: StopReason;
      /** Stops with `refusal`, after the text. */
      refusal?: { category?: StopDetails["category"]; explanation?: string };

      /** Waits before the first byte: for this, and so many milliseconds. */
      hold?: Promise<unknown>;
      delayMs?: number;
      /** Waits before each event of a stream. */
      betweenMs?: number;
      /** Answers an error instead. `type` follows from the status, unless given. */
      error?: { status: number; type?: string; message?: string; headers?: Record<string, string> };
      /** Breaks the connection after so many events (of an answer in one piece: in its middle); 0: without a word. */
      cutAfter?: number;
      /** Ends a stream with an error event after so many others. */
      failAfter?: { events: number; type: string; message?: string };
      /** Answers 200 with this instead. */
      garbage?: string;
    };

export type ReplyFunction = (request: SeenRequest) => ScriptedReply | Promise<ScriptedReply>;

/** What the model answers: first what is queued, one request each, then what `reply` says. */
export class Script {
  #queue: (ScriptedReply | ReplyFunction)[] = [];
  #reply: ScriptedReply | ReplyFunction | null = null;

  /** Answers every request that finds the queue empty. */
  reply(reply: ScriptedReply | ReplyFunction): void {
    this.#reply = reply;
  }

  /** Answers the next requests, in the order in which they arrive. */
  queue(...replies: (ScriptedReply | ReplyFunction)[]): void {
    this.#queue.push(...replies);
  }

  /** How many queued replies nobody asked for yet. */
  get left(): number {
    return this.#queue.length;
  }

  clear(): void {
    this.#queue = [];
    this.#reply = null;
  }

  /** The reply to a request; null when nothing was scripted. */
  async take(request: SeenRequest): Promise<Exclude<ScriptedReply, string> | null> {
    const next = this.#queue.shift() ?? this.#reply;
    const reply = typeof next === "function" ? await next(request) : next;
    return typeof reply === "string" ? { text: reply } : reply;
  }
}

export function seen(n: number, body: MessagesRequest): SeenRequest {
  return {
    n,
    model: body.model,
    system: textOf(body.system ?? ""),
    text: textOf(body.messages.at(-1)?.content ?? ""),
    body,
  };
}

function textOf(content: string | readonly { type: string; text?: unknown }[]): string {
  if (typeof content === "string") return content;
  return content.flatMap(({ text }) => (typeof text === "string" ? [text] : [])).join("\n");
}
