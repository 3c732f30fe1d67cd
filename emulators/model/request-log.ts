import type { ServerResponse } from "node:http";
import type { MessageEvent } from "./wire.ts";

/** A request as tests and hooks see it. `n` counts from 1. */
export type LoggedRequest = {
  n: number;
  method: string;
  path: string;
  /** Parsed; null when it was no JSON, or too large. */
  body: unknown;
  /** Null while nothing was answered, and when the connection was broken before. */
  status: number | null;
  /** `abandoned`: the connection ended before the answer did, whoever ended it. */
  outcome: "running" | "answered" | "abandoned";
};

export type Hooks = {
  /** Before any work is done, before an answer begins, and before each event of a stream. All are waited for. */
  onRequest?: (request: LoggedRequest) => void | Promise<void>;
  onResponse?: (request: LoggedRequest) => void | Promise<void>;
  onEvent?: (request: LoggedRequest, event: MessageEvent) => void | Promise<void>;
};

const MAX_ENTRIES = 500;
const MAX_CHARACTERS = 64 * 1024 * 1024;

/** The newest requests, bounded in number and in what they hold. */
export class RequestLog {
  readonly entries: LoggedRequest[] = [];
  readonly #sizes: number[] = [];
  #size = 0;
  #count = 0;

  add(method: string, path: string, body: string | null, response: ServerResponse): LoggedRequest {
    const entry: LoggedRequest = {
      n: ++this.#count,
      method,
      path,
      body: parsed(body),
      status: null,
      outcome: "running",
    };
    response.once("close", () => (entry.outcome = response.writableFinished ? "answered" : "abandoned"));
    this.entries.push(entry);
    this.#sizes.push(body?.length ?? 0);
    this.#size += body?.length ?? 0;
    while (this.entries.length > MAX_ENTRIES || (this.#size > MAX_CHARACTERS && this.entries.length > 1)) {
      this.entries.shift();
      this.#size -= this.#sizes.shift() ?? 0;
    }
    return entry;
  }
}

function parsed(body: string | null): unknown {
  try {
    return JSON.parse(body ?? "");
  } catch {
    return null;
  }
}
