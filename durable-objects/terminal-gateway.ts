import { DurableObject } from "cloudflare:workers";
import { type infer as Infer, object, string } from "zod";
import { parseTerminalMessage } from "#channels/terminal.ts";
import { completions } from "#core/command-help.ts";
import { MAX_TEXT_LENGTH, type NormalizedMessage } from "#core/message.ts";
import type { Accepted, MessageReceiver, Namespace, TerminalGatewayRpc } from "#core/rpc.ts";
import { type TerminalEvent, type TerminalMessage, TerminalRequest } from "#core/terminal-protocol.ts";
import { type Route, type RouteLookup, createRouteLookup } from "#db/routes.ts";

export type TerminalGatewayEnv = {
  DB: D1Database;
  PROJECT_AGENT: Namespace<MessageReceiver>;
  COORDINATOR: Namespace<MessageReceiver>;
};

/** Who is at a connection: verified by the edge, kept with the socket through hibernation. */
export const TerminalSession = object({ account: string(), name: string(), conversation: string() });
export type TerminalSession = Infer<typeof TerminalSession>;

/** A message of the greatest length, every character escaped. */
const MAX_FRAME_LENGTH = 6 * MAX_TEXT_LENGTH + 1000;
const KEPT = "kept:";
/** How long a message waits for a terminal to connect. */
const KEEP_MS = 30 * 86_400_000;
type Shown = { message: TerminalMessage; until: number; settle: (shown: boolean) => void };
type Kept = { message: TerminalMessage; until: number };
/** How long a shown message's acknowledgement is waited for before the message is kept instead. */
const ACK_WITHIN_MS = 2000;

/**
 * The platform behind the terminal channel: one object per conversation holds its connections (asleep while nobody
 * types) and keeps messages for a person who is not connected.
 */
export class TerminalGateway extends DurableObject<TerminalGatewayEnv> implements TerminalGatewayRpc {
  readonly #route: RouteLookup;
  readonly #projectAgents: Namespace<MessageReceiver>;
  readonly #coordinators: Namespace<MessageReceiver>;
  /** Shown, and not yet acknowledged, by message id. */
  readonly #shown = new Map<string, Shown>();
  #expiring: ReturnType<typeof setTimeout> | null = null;
  /** Ends when the message before has been given to its agent: they are accepted in the order they were typed. */
  #turn: Promise<void> = Promise.resolve();
  /** The agent that was given the last message. Calls over one stub arrive in their order. */
  #agent: { name: string; stub: MessageReceiver } | null = null;

  constructor(ctx: DurableObjectState, env: TerminalGatewayEnv) {
    super(ctx, env);
    this.#route = createRouteLookup(env.DB, Date.now);
    this.#projectAgents = env.PROJECT_AGENT;
    this.#coordinators = env.COORDINATOR;
  }

  /** Accepts a WebSocket. The edge has checked the token and names the session in the header `x-terminal-session`. */
  override async fetch(request: Request): Promise<Response> {
    const session = TerminalSession.parse(
      JSON.parse(decodeURIComponent(request.headers.get("x-terminal-session") ?? "")),
    );
    const { 0: client, 1: server } = new WebSocketPair();
    server.serializeAttachment(session);
    this.ctx.acceptWebSocket(server);
    send(server, {
      type: "welcome",
      account: session.account,
      conversation: session.conversation,
      commands: completions(),
    });
    const kept = [...this.ctx.storage.kv.list<Kept>({ prefix: KEPT })].map(([, value]) => value);
    for (const { message } of kept.toSorted((a, b) => a.until - b.until)) send(server, message);
    // Whoever these were shown to may not be there any more.
    for (const { message } of this.#shown.values()) send(server, message);
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> {
    if (typeof data === "string" && data.length > MAX_FRAME_LENGTH) {
      return send(socket, { type: "error", id: "", message: "This frame is too large; nothing was done with it." });
    }
    const request = TerminalRequest.safeParse(parseJson(data));
    if (!request.success) {
      return send(socket, {
        type: "error",
        id: "",
        message: "This frame is not one the terminal protocol knows; nothing was done with it.",
      });
    }
    switch (request.data.type) {
      case "message":
        return this.#accept(socket, request.data);
      case "ack":
        return this.#acknowledge(request.data.id, request.data.revision);
      case "ping":
        return send(socket, { type: "pong" });
    }
  }

  async #accept(socket: WebSocket, typed: { id: string; text: string }): Promise<void> {
    if (typed.text.length > MAX_TEXT_LENGTH) {
      const words = `That is ${typed.text.length.toLocaleString("en")} characters; a message may have ${MAX_TEXT_LENGTH.toLocaleString("en")}. It was not accepted.`;
      return send(socket, { type: "error", id: typed.id, message: words });
    }
    const session = TerminalSession.parse(socket.deserializeAttachment());
    try {
      const message = parseTerminalMessage(typed, session, Date.now());
      await this.#give(message);
      send(socket, { type: "accepted", id: typed.id });
    } catch (error) {
      console.error("a terminal's message could not be stored", error);
      // A stub whose object failed stays broken.
      this.#agent = null;
      send(socket, {
        type: "error",
        id: typed.id,
        message: "The message could not be stored. Send it again in a moment.",
      });
    }
  }

  async #give(message: NormalizedMessage): Promise<Accepted> {
    const before = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    let agent: MessageReceiver;
    try {
      await before;
      agent = this.#agentOf(await this.#route(message.channel, message.conversation));
    } finally {
      // In a microtask: the call below is made first, and not waited for by the next message.
      resolve();
    }
    return agent.receive(message);
  }

  #agentOf({ organisation, project }: Route): MessageReceiver {
    const name = project === null ? organisation : `${organisation}/${project}`;
    if (this.#agent?.name !== name) {
      const agents = project === null ? this.#coordinators : this.#projectAgents;
      this.#agent = { name, stub: agents.getByName(name) };
    }
    return this.#agent.stub;
  }

  #acknowledge(id: string, revision: number): void {
    const shown = this.#shown.get(id);
    if (shown && revision >= shown.message.revision) shown.settle(true);
    const kept = this.ctx.storage.kv.get<Kept>(KEPT + id);
    if (kept && revision >= kept.message.revision) this.ctx.storage.kv.delete(KEPT + id);
  }

  async deliver(message: TerminalMessage): Promise<void> {
    const sockets = this.ctx.getWebSockets();
    if (sockets.length > 0) {
      const acknowledged = this.#acknowledgementOf(message);
      for (const socket of sockets) send(socket, message);
      if (await acknowledged) return;
    }
    const kept: Kept = { message, until: Date.now() + KEEP_MS };
    this.ctx.storage.kv.put(KEPT + message.id, kept);
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(kept.until);
  }

  /** Forgets what nobody came to read. */
  override async alarm(): Promise<void> {
    let next: number | null = null;
    for (const [key, { until }] of this.ctx.storage.kv.list<Kept>({ prefix: KEPT })) {
      if (until <= Date.now()) this.ctx.storage.kv.delete(key);
      else next = Math.min(next ?? until, until);
    }
    if (next !== null) await this.ctx.storage.setAlarm(next);
  }

  #acknowledgementOf(message: TerminalMessage): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#shown.get(message.id)?.settle(false);
    const settle = (shown: boolean) => {
      this.#shown.delete(message.id);
      resolve(shown);
    };
    this.#shown.set(message.id, { message, until: Date.now() + ACK_WITHIN_MS, settle });
    this.#expireLater(ACK_WITHIN_MS);
    return promise;
  }

  /** One timer for all that is shown: a timer for each message would cost more than the message. */
  #expireLater(inMs: number): void {
    if (this.#expiring !== null) return;
    this.#expiring = setTimeout(() => {
      this.#expiring = null;
      const now = Date.now();
      for (const { until, settle } of this.#shown.values()) if (until <= now) settle(false);
      const next = Math.min(...[...this.#shown.values()].map(({ until }) => until));
      if (Number.isFinite(next)) this.#expireLater(next - now);
    }, inMs);
  }

  override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
    // 1005 and 1006 say that no code was received; they may not be sent.
    socket.close(code === 1005 || code === 1006 ? 1000 : code);
  }
}

function send(socket: WebSocket, event: TerminalEvent): void {
  try {
    socket.send(JSON.stringify(event));
  } catch {
    // Closing meanwhile: what was not acknowledged is kept and sent to the next connection.
  }
}

function parseJson(data: string | ArrayBuffer): unknown {
  try {
    return typeof data === "string" ? JSON.parse(data) : null;
  } catch {
    return null;
  }
}
