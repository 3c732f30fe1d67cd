import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { type TerminalEvent, type TerminalMessage, TerminalRequest } from "#core/terminal-protocol.ts";

/** The terminal side of a Worker, as far as a test drives it: real HTTP, real WebSockets, frames checked with zod. */
export interface TerminalServer {
  url: string;
  /** Every frame received, in order, with the number of the connection it came over. */
  received: { connection: number; request: TerminalRequest }[];
  connections: WebSocket[];
  /** What is answered to each frame; nothing by default. */
  onRequest(request: TerminalRequest, send: (event: TerminalEvent) => void, connection: number): void;
  send(event: TerminalEvent): void;
  close(): Promise<void>;
}

export const TOKEN = "right-token";

export const message = (changes: Partial<TerminalMessage> & { text?: string }): TerminalMessage => {
  const { text = "Done.", ...rest } = changes;
  return {
    type: "message",
    id: "out-1",
    revision: 1,
    kind: "final",
    ok: true,
    inReplyTo: "",
    blocks: [{ type: "text", text }],
    ...rest,
  };
};

/** Accepts each message and answers it at once with a final reply that repeats it. */
export function echo(request: TerminalRequest, send: (event: TerminalEvent) => void): void {
  if (request.type === "ping") send({ type: "pong" });
  if (request.type !== "message") return;
  send({ type: "accepted", id: request.id });
  send(
    message({ id: `out-${request.id}`, kind: "progress", inReplyTo: request.id, text: `Working on ${request.text}` }),
  );
  send(
    message({
      id: `out-${request.id}`,
      revision: 2,
      inReplyTo: request.id,
      ok: !request.text.includes("fail"),
      text: `Echo: ${request.text}`,
    }),
  );
}

export async function startTerminalServer(): Promise<TerminalServer> {
  const sockets = new WebSocketServer({ noServer: true });
  const authorised = (request: IncomingMessage) => request.headers.authorization === `Bearer ${TOKEN}`;
  const refused = JSON.stringify({ error: { code: "unauthorised", message: "This token is not known here." } });
  const http = createServer((request, response) => {
    if (request.url === "/healthz") response.end(JSON.stringify({ status: "ok" }));
    else if (authorised(request))
      response.writeHead(426).end(JSON.stringify({ error: { code: "upgrade", message: "Upgrade." } }));
    else response.writeHead(401).end(refused);
  });
  http.on("upgrade", (request, socket, head) => {
    if (!authorised(request)) {
      socket.end("HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const connection = server.connections.push(webSocket);
      const conversation = new URL(request.url ?? "", "http://x").searchParams.get("conversation") ?? "";
      const send = (event: TerminalEvent) => webSocket.send(JSON.stringify(event));
      webSocket.on("message", (data) => {
        const parsed = TerminalRequest.parse(JSON.parse(String(data)));
        server.received.push({ connection, request: parsed });
        server.onRequest(parsed, send, connection);
      });
      send({ type: "welcome", account: "anna", conversation, commands: ["status", "stop", "help"] });
    });
  });
  await new Promise<void>((done) => http.listen(0, "127.0.0.1", done));
  const server: TerminalServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    received: [],
    connections: [],
    onRequest: () => {},
    send: (event) => server.connections.at(-1)?.send(JSON.stringify(event)),
    close: () =>
      new Promise((done) => {
        for (const socket of server.connections) socket.terminate();
        http.close(() => done());
        http.closeAllConnections();
      }),
  };
  return server;
}
