import { type Socket, connect } from "node:net";
import WebSocket from "ws";
import type { TerminalEvent } from "#core/terminal-protocol.ts";

/** Milliseconds each request took, how long all of them took together, and how many of them were accepted or answered. */
export type Run = { latencies: number[]; elapsedMs: number; done: number };

export type Server = { url: string; token: string };

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const conversationName = (index: number): string => `c${index}`;

/** Runs `count` requests, `connections` of them at any time. */
async function closedLoop(
  connections: number,
  count: number,
  one: (connection: number, index: number) => Promise<boolean>,
): Promise<Run> {
  const latencies: number[] = [];
  let next = 0;
  let done = 0;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async (_, connection) => {
      for (let index = next++; index < count; index = next++) {
        const begun = performance.now();
        if (await one(connection, index)) done += 1;
        latencies.push(performance.now() - begun);
      }
    }),
  );
  return { latencies, elapsedMs: performance.now() - start, done };
}

/**
 * One keep-alive connection, one request at a time, with no more HTTP than these servers speak. node:http shares its sockets out
 * unevenly, which bends a median, and takes more of the machine than what is measured.
 */
class HttpConnection {
  readonly #socket: Socket;
  readonly #head: string;
  #received = "";
  #answer: { resolve: (status: number) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket, server: Server) {
    this.#socket = socket;
    const { host } = new URL(server.url);
    this.#head = `POST /api/messages HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${server.token}\r\nContent-Type: application/json\r\n`;
    socket.setNoDelay(true).setEncoding("latin1");
    socket.on("data", (part) => this.#take(String(part)));
    socket.on("error", (error) => this.#answer?.reject(error));
    socket.on("close", () => this.#answer?.reject(new Error("The server closed the connection.")));
  }

  static open(server: Server): Promise<HttpConnection> {
    const { hostname, port } = new URL(server.url);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname);
      socket.once("error", reject);
      socket.once("connect", () => resolve(new HttpConnection(socket, server)));
    });
  }

  #take(part: string): void {
    this.#received += part;
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = /\r\ncontent-length: (\d+)/i.exec(this.#received)?.[1];
    const whole =
      length === undefined ? this.#received.endsWith("0\r\n\r\n") : this.#received.length >= end + 4 + Number(length);
    if (!whole) return;
    const status = Number(this.#received.slice(9, 12));
    this.#received = "";
    this.#answer?.resolve(status);
  }

  /** Posts JSON to /api/messages; resolves to the status once the whole answer is there. */
  post(body: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#answer = { resolve, reject };
      this.#socket.write(`${this.#head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    });
  }

  close(): void {
    this.#answer = undefined;
    this.#socket.destroy();
  }
}

async function withConnections<T>(
  server: Server,
  count: number,
  run: (connections: HttpConnection[]) => Promise<T>,
): Promise<T> {
  const connections = await Promise.all(Array.from({ length: count }, () => HttpConnection.open(server)));
  try {
    return await run(connections);
  } finally {
    for (const connection of connections) connection.close();
  }
}

/** Links conversations `c0`, `c1`, … to one project, whose agent then gets the messages of them all. */
export async function linkConversations(server: Server, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const response = await fetch(`${server.url}/api/setup`, {
      method: "POST",
      headers: { authorization: `Bearer ${server.token}`, "content-type": "application/json" },
      body: JSON.stringify({
        account: "admin",
        name: "administrator",
        project: { name: "bench", repository: "codespar/bench" },
        conversation: conversationName(index),
      }),
    });
    if (!response.ok) throw new Error(`A conversation could not be linked: ${await response.text()}`);
  }
}

const bodyOf = (id: string, connection: number): string =>
  JSON.stringify({ id, conversation: conversationName(connection), text: "whoami" });

/** Posts messages over keep-alive connections, each its own conversation; one is done when its 202 has been read. */
export async function postMessages(server: Server, connections: number, count: number, prefix: string): Promise<Run> {
  return withConnections(server, connections, (open) =>
    closedLoop(
      connections,
      count,
      async (connection, index) => (await open[connection]?.post(bodyOf(`${prefix}-${index}`, connection))) === 202,
    ),
  );
}

/** Terminals: each one WebSocket of one conversation, acknowledging what it is shown. */
export class Terminals {
  readonly #server: Server;
  readonly #sockets: WebSocket[] = [];
  readonly #waiting = new Map<string, () => void>();
  readonly #problems: string[] = [];
  readonly #pongs = new Map<WebSocket, () => void>();
  /** How many final replies came for each delivery id; one that is acknowledged may not come again. */
  readonly finals = new Map<string, number>();

  constructor(server: Server) {
    this.#server = server;
  }

  async open(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const url = `${this.#server.url.replace("http", "ws")}/api/terminal?conversation=${conversationName(index)}`;
      const socket = new WebSocket(url, {
        headers: { authorization: `Bearer ${this.#server.token}` },
        perMessageDeflate: false,
      });
      this.#sockets.push(socket);
      await new Promise<void>((resolve, reject) => {
        socket.once("error", reject);
        socket.once("message", () => resolve());
      });
      socket.on("message", (data) => this.#take(socket, JSON.parse(String(data)) as TerminalEvent));
    }
  }

  #take(socket: WebSocket, event: TerminalEvent): void {
    if (event.type === "error") this.#problems.push(event.message);
    if (event.type === "pong") this.#pongs.get(socket)?.();
    if (event.type !== "message") return;
    socket.send(JSON.stringify({ type: "ack", id: event.id, revision: event.revision }));
    if (event.kind !== "final") return;
    this.finals.set(event.inReplyTo, (this.finals.get(event.inReplyTo) ?? 0) + 1);
    this.#waiting.get(event.inReplyTo)?.();
    this.#waiting.delete(event.inReplyTo);
  }

  /** Asks on the WebSockets; a message is done when its final reply has been shown. */
  ask(connections: number, count: number, prefix: string): Promise<Run> {
    return closedLoop(connections, count, async (connection, index) => {
      const id = `${prefix}-${index}`;
      const shown = this.#shown(id);
      this.#sockets[connection]?.send(JSON.stringify({ type: "message", id, text: "whoami" }));
      await shown;
      return true;
    });
  }

  /** Posts as `postMessages` does; a message is done when its final reply has been shown on its conversation's WebSocket. */
  postAndWait(connections: number, count: number, prefix: string): Promise<Run> {
    return withConnections(this.#server, connections, (open) =>
      closedLoop(connections, count, async (connection, index) => {
        const id = `${prefix}-${index}`;
        const shown = this.#shown(id);
        const status = await open[connection]?.post(bodyOf(id, connection));
        if (status === 202) await shown;
        return status === 202;
      }),
    );
  }

  #shown(id: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  /** Resolves when everything that was sent to the terminals before has come. */
  async settle(): Promise<void> {
    const ponged = this.#sockets.map((socket) => new Promise<void>((resolve) => this.#pongs.set(socket, resolve)));
    for (const socket of this.#sockets) socket.send(JSON.stringify({ type: "ping" }));
    await Promise.all(ponged);
  }

  /** What the server refused. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  close(): void {
    for (const socket of this.#sockets) socket.terminate();
  }
}
