import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { TerminalMessage } from "#core/terminal-protocol.ts";
import { type Connection, type ConnectionHandlers, type ConnectionTiming, openConnection } from "#cli/connection.ts";
import { message, startTerminalServer, type TerminalServer, TOKEN } from "./terminal-server.ts";

const quick: ConnectionTiming = { backoff: () => 5, ping: 10_000, silence: 10_000 };

let server: TerminalServer;
const opened: Connection[] = [];

beforeEach(async () => {
  server = await startTerminalServer();
});
afterEach(async () => {
  for (const connection of opened.splice(0)) connection.close();
  await server.close();
});

function open(
  changes: Partial<ConnectionHandlers> = {},
  options: { token?: string; url?: string; timing?: ConnectionTiming } = {},
) {
  const seen = {
    shown: [] as TerminalMessage[],
    accepted: [] as string[],
    rejected: [] as string[][],
    failures: [] as string[],
    welcomes: 0,
    lost: 0,
  };
  const connection = openConnection(
    { url: options.url ?? server.url, token: options.token ?? TOKEN },
    "sample-project",
    {
      welcome: () => void (seen.welcomes += 1),
      message: (shown) => seen.shown.push(shown) > 0,
      accepted: (id) => void seen.accepted.push(id),
      rejected: (...about) => void seen.rejected.push(about),
      lost: () => void (seen.lost += 1),
      failed: (failure) => void seen.failures.push(failure.message),
      ...changes,
    },
    options.timing ?? quick,
  );
  opened.push(connection);
  return { connection, seen };
}

const requests = (type: string) => server.received.filter(({ request }) => request.type === type);

test("delivers a message typed before the connection stood", async () => {
  const { connection } = open();
  const id = connection.send("status");
  await vi.waitFor(() =>
    expect(requests("message").map(({ request }) => request)).toEqual([{ type: "message", id, text: "status" }]),
  );
});

test("sends a message that was never accepted again under the same delivery id after a reconnect", async () => {
  server.onRequest = (request, send, connection) => {
    if (request.type !== "message") return;
    if (connection === 1) server.connections[0]?.terminate();
    else send({ type: "accepted", id: request.id });
  };
  const { connection, seen } = open();
  const id = connection.send("fix it");
  await vi.waitFor(() => expect(seen.accepted).toEqual([id]));
  expect(requests("message").map(({ connection: number, request }) => [number, "id" in request && request.id])).toEqual(
    [
      [1, id],
      [2, id],
    ],
  );
  expect(seen.lost).toBe(1);
});

test("does not send an accepted message again", async () => {
  server.onRequest = (request, send) => request.type === "message" && send({ type: "accepted", id: request.id });
  const { connection, seen } = open();
  connection.send("status");
  await vi.waitFor(() => expect(seen.accepted).toHaveLength(1));
  server.connections[0]?.terminate();
  await vi.waitFor(() => expect(seen.welcomes).toBe(2));
  const second = connection.send("help");
  await vi.waitFor(() => expect(seen.accepted).toContain(second));
  expect(requests("message")).toHaveLength(2);
});

test("shows each revision once and acknowledges every delivery of it", async () => {
  const { seen } = open();
  await vi.waitFor(() => expect(seen.welcomes).toBe(1));
  server.send(message({ revision: 1, kind: "progress" }));
  server.send(message({ revision: 1, kind: "progress" }));
  server.send(message({ revision: 2 }));
  server.send(message({ revision: 1, kind: "progress" }));
  await vi.waitFor(() => expect(requests("ack")).toHaveLength(4));
  expect(seen.shown.map(({ revision }) => revision)).toEqual([1, 2]);
  expect(requests("ack").map(({ request }) => "revision" in request && request.revision)).toEqual([1, 1, 2, 1]);
});

test("shows a message that is delivered again after a reconnect only once", async () => {
  const { seen } = open();
  await vi.waitFor(() => expect(seen.welcomes).toBe(1));
  server.send(message({}));
  await vi.waitFor(() => expect(requests("ack")).toHaveLength(1));
  server.connections[0]?.terminate();
  await vi.waitFor(() => expect(seen.welcomes).toBe(2));
  server.send(message({}));
  await vi.waitFor(() => expect(requests("ack")).toHaveLength(2));
  expect(seen.shown).toHaveLength(1);
});

test("does not acknowledge what was not shown", async () => {
  const { seen } = open({ message: (shown) => shown.kind === "final" });
  await vi.waitFor(() => expect(seen.welcomes).toBe(1));
  server.send(message({ id: "a", kind: "announcement" }));
  server.send(message({ id: "b" }));
  await vi.waitFor(() => expect(requests("ack").map(({ request }) => "id" in request && request.id)).toEqual(["b"]));
});

test("tells why a message was not stored, and does not send it again", async () => {
  server.onRequest = (request, send) =>
    request.type === "message" && send({ type: "error", id: request.id, message: "Too long." });
  const { connection, seen } = open();
  const id = connection.send("x");
  await vi.waitFor(() => expect(seen.rejected).toEqual([[id, "Too long."]]));
  server.connections[0]?.terminate();
  await vi.waitFor(() => expect(seen.welcomes).toBe(2));
  expect(requests("message")).toHaveLength(1);
});

test("goes on after a frame it does not understand", async () => {
  const { seen } = open();
  await vi.waitFor(() => expect(seen.welcomes).toBe(1));
  server.connections[0]?.send("{not json");
  server.connections[0]?.send(JSON.stringify({ type: "fireworks" }));
  server.send(message({}));
  await vi.waitFor(() => expect(seen.shown).toHaveLength(1));
});

test("connects again when a connection has gone silent", async () => {
  const { seen } = open({}, { timing: { backoff: () => 5, ping: 20, silence: 20 } });
  await vi.waitFor(() => expect(seen.welcomes).toBeGreaterThan(1));
  expect(requests("ping").length).toBeGreaterThan(0);
});

test("gives up at a refused token, with the server's words", async () => {
  const { seen } = open({}, { token: "wrong" });
  await vi.waitFor(() =>
    expect(seen.failures).toEqual([expect.stringContaining("refused the token: This token is not known here.")]),
  );
});

test("says that nobody is there", async () => {
  const { url } = server;
  await server.close();
  const { seen } = open({}, { url });
  await vi.waitFor(() =>
    expect(seen.failures).toEqual([`No CodeSpar answers at ${url}. Start one with \`npm start\`, or give --url.`]),
  );
});
