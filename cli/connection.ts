import { randomUUID } from "node:crypto";
import { TerminalEvent, type TerminalMessage, type TerminalRequest } from "#core/terminal-protocol.ts";
import { type Endpoint, notThere, refusal } from "./api.ts";
import { Failure } from "./failure.ts";

/** What the far side and the network do, in the order it happens. */
export interface ConnectionHandlers {
  welcome(event: { account: string; conversation: string; commands: string[]; again: boolean }): void;
  /** Each revision arrives once. True: it has been shown, and is acknowledged. */
  message(message: TerminalMessage): boolean;
  accepted(id: string): void;
  /** The message `id` was not stored; empty when it is about none. */
  rejected(id: string, reason: string): void;
  /** The connection is gone; it is being made again. */
  lost(): void;
  /** It cannot be made (nobody there, wrong token); nothing more will come. */
  failed(failure: Failure): void;
}

/** All in milliseconds. */
export interface ConnectionTiming {
  backoff(attempt: number): number;
  /** A quiet connection is asked for a sign of life this often. */
  ping: number;
  /** A connection that owes an answer for this long is given up. */
  silence: number;
}

export const DEFAULT_TIMING: ConnectionTiming = {
  backoff: (attempt) => Math.min(250 * 2 ** attempt, 5000) * (0.5 + Math.random() / 2),
  ping: 20_000,
  silence: 15_000,
};

export interface Connection {
  /** Sends the text now or as soon as possible, until it is accepted or rejected. Returns its delivery id. */
  send(text: string): string;
  close(): void;
}

// How often a far side that answers, but not as CodeSpar, is tried before the first welcome.
const FIRST_ATTEMPTS = 4;
const SHOWN_LIMIT = 10_000;

/**
 * A terminal's connection to one conversation: made again whenever it breaks, resending what has not been
 * accepted under the same delivery id, showing each revision of a message once.
 */
export function openConnection(
  endpoint: Endpoint,
  conversation: string,
  handlers: ConnectionHandlers,
  timing: ConnectionTiming = DEFAULT_TIMING,
): Connection {
  const address = new URL(`${endpoint.url}/api/terminal`);
  address.searchParams.set("conversation", conversation);
  const headers = { authorization: `Bearer ${endpoint.token}` };
  const unaccepted = new Map<string, string>();
  const shown = new Map<string, number>();
  let socket: WebSocket | undefined;
  let closed = false;
  let welcomed = false; // on this socket
  let everWelcomed = false;
  let attempt = 0;
  let timer: NodeJS.Timeout | undefined;

  const transmit = (request: TerminalRequest): void => {
    if (welcomed && socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(request));
  };

  const fail = (failure: Failure): void => {
    if (closed) return;
    close();
    handlers.failed(failure);
  };

  function receive(event: TerminalEvent): void {
    switch (event.type) {
      case "welcome":
        welcomed = true;
        attempt = 0;
        handlers.welcome({ ...event, again: everWelcomed });
        everWelcomed = true;
        for (const [id, text] of unaccepted) transmit({ type: "message", id, text });
        return;
      case "accepted":
        if (unaccepted.delete(event.id)) handlers.accepted(event.id);
        return;
      case "error":
        if (event.id === "" || unaccepted.delete(event.id)) handlers.rejected(event.id, event.message);
        return;
      case "pong":
        return;
      case "message": {
        const known = shown.get(event.id);
        if (known !== undefined && known >= event.revision) {
          transmit({ type: "ack", id: event.id, revision: event.revision });
        } else if (handlers.message(event)) {
          shown.delete(event.id); // so that the newest stands last
          shown.set(event.id, event.revision);
          for (const id of shown.keys()) {
            if (shown.size <= SHOWN_LIMIT) break;
            shown.delete(id);
          }
          transmit({ type: "ack", id: event.id, revision: event.revision });
        }
      }
    }
  }

  /** Why the upgrade was refused: WebSocket hides the status, a plain request to the same address shows it. */
  async function diagnose(): Promise<void> {
    let response: Response;
    try {
      response = await fetch(address, { headers });
    } catch (error) {
      if (!everWelcomed) return fail(notThere(endpoint.url, error));
      return retry();
    }
    // 426 only says that this was no upgrade; after 408 and 429 it can be tried again, after others of the kind not.
    const final = response.status >= 400 && response.status < 500 && ![408, 426, 429].includes(response.status);
    if (final || (!everWelcomed && attempt >= FIRST_ATTEMPTS)) {
      if (response.status !== 426) return fail(await refusal(response, endpoint.url));
      return fail(
        new Failure(
          `${endpoint.url} answers, but no connection for a chat can be made to it. A proxy in between may not pass WebSockets.`,
        ),
      );
    }
    await response.body?.cancel().catch(() => {});
    return retry();
  }

  function retry(): void {
    if (closed) return;
    timer = setTimeout(open, timing.backoff(attempt));
    attempt += 1;
  }

  function open(): void {
    const current = new WebSocket(address, { headers });
    socket = current;
    welcomed = false;
    let over = false;

    const ended = (): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      if (closed) return;
      if (welcomed) {
        welcomed = false;
        handlers.lost();
        retry();
      } else {
        void diagnose();
      }
    };
    const giveUp = (): void => {
      ended();
      current.close();
    };
    // One timer: either a sign of life is owed (give up), or one is asked for after a quiet while.
    const expect = (owed: boolean): void => {
      clearTimeout(timer);
      timer = owed
        ? setTimeout(giveUp, timing.silence)
        : setTimeout(() => {
            transmit({ type: "ping" });
            for (const [id, text] of unaccepted) transmit({ type: "message", id, text });
            expect(true);
          }, timing.ping);
    };

    current.addEventListener("close", ended);
    current.addEventListener("error", ended);
    current.addEventListener("message", ({ data }) => {
      if (over || closed) return;
      expect(false);
      const event = parseEvent(data);
      if (event !== undefined) receive(event);
    });
    expect(true);
  }

  function close(): void {
    closed = true;
    clearTimeout(timer);
    socket?.close();
  }

  open();
  return {
    send(text) {
      const id = randomUUID();
      unaccepted.set(id, text);
      transmit({ type: "message", id, text });
      return id;
    },
    close,
  };
}

/** undefined for what is no frame of this protocol: a newer server may say more than this terminal knows. */
function parseEvent(data: unknown): TerminalEvent | undefined {
  if (typeof data !== "string") return undefined;
  try {
    return TerminalEvent.parse(JSON.parse(data));
  } catch {
    return undefined;
  }
}
