import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { echo, message, startTerminalServer, type TerminalServer, TOKEN } from "./terminal-server.ts";
import { runCli, spawnCli, temporaryFolder } from "./run-cli.ts";

let server: TerminalServer;
beforeEach(async () => {
  server = await startTerminalServer();
  server.onRequest = echo;
});
afterEach(() => server.close());

const chat = (...args: string[]) => ["chat", "--url", server.url, "--token", TOKEN, ...args];
const acknowledged = () => server.received.flatMap(({ request }) => (request.type === "ack" ? [request] : []));

test("--once prints the final reply to standard output, progress to standard error", async () => {
  expect(await runCli(chat("--once", "status"))).toEqual({
    stdout: "Echo: status\n",
    stderr: "Working on status\n",
    code: 0,
  });
});

test("--once fails when the reply says that it was not done", async () => {
  expect(await runCli(chat("--once", "fail please"))).toMatchObject({ stdout: "Echo: fail please\n", code: 1 });
});

test("--once acknowledges its own final reply and leaves what is for others alone", async () => {
  server.onRequest = (request, send) => {
    if (request.type === "message") send(message({ id: "earlier", inReplyTo: "somebody-else", text: "not for you" }));
    echo(request, send);
  };
  const { stdout } = await runCli(chat("--once", "status"));
  expect(stdout).toBe("Echo: status\n");
  await vi.waitFor(() =>
    expect(acknowledged().map(({ id, revision }) => [id.startsWith("out-"), revision])).toEqual([
      [true, 1],
      [true, 2],
    ]),
  );
});

test("--once gives up on a final reply after --timeout, and says how to see it", async () => {
  server.onRequest = (request, send) => request.type === "message" && send({ type: "accepted", id: request.id });
  const { stderr, code } = await runCli(chat("--once", "status", "--timeout", "0.2"));
  expect(stderr).toContain("There was no final reply within 0.2 s");
  expect(code).toBe(1);
});

test("sends each piped line as one message and waits for all the final replies", async () => {
  const held: (() => void)[] = [];
  server.onRequest = (request, send) => {
    if (request.type !== "message") return;
    held.push(() => echo(request, send));
    if (held.length === 2) for (const answer of held.toReversed()) answer();
  };
  const { stdout, code } = await runCli(chat(), { input: "status\n\n  help  \n" });
  expect(stdout).toBe("Echo: help\nEcho: status\n");
  expect(code).toBe(0);
});

test("piped messages fail when one of the replies does", async () => {
  expect((await runCli(chat(), { input: "status\nfail\nhelp\n" })).code).toBe(1);
});

test("says why a message was refused, and fails", async () => {
  server.onRequest = (request, send) =>
    request.type === "message" && send({ type: "error", id: request.id, message: "Not \u001b[31mnow." });
  expect(await runCli(chat("--once", "status"))).toMatchObject({ stdout: "", stderr: "Not now.\n", code: 1 });
});

test("gets its final reply across a connection that breaks", async () => {
  server.onRequest = (request, send, connection) => {
    if (request.type !== "message") return;
    if (connection === 1) server.connections[0]?.terminate();
    else echo(request, send);
  };
  const { stdout, stderr, code } = await runCli(chat("--once", "status"));
  expect(stdout).toBe("Echo: status\n");
  expect(stderr).toContain("The connection is gone; trying again.");
  expect(code).toBe(0);
  expect(new Set(server.received.flatMap(({ request }) => (request.type === "message" ? [request.id] : []))).size).toBe(
    1,
  );
});

test("a reply cannot drive the terminal", async () => {
  server.onRequest = (request, send) => {
    if (request.type === "message") send(message({ inReplyTo: request.id, text: "a\u001b]52;c;eA==\u0007b\u001b[2J" }));
  };
  expect((await runCli(chat("--once", "status"))).stdout).toBe("ab\n");
});

test("joins the conversation it is told", async () => {
  const child = spawnCli(chat("--project", "shop"));
  let seen = "";
  child.stdout.on("data", (chunk) => (seen += String(chunk)));
  await vi.waitFor(() => expect(server.connections).toHaveLength(1));
  server.send(message({ kind: "announcement", text: "Anna approved." }));
  await vi.waitFor(() => expect(seen).toBe("Anna approved.\n"));
  child.stdin.end();
  const [code] = await once(child, "exit");
  expect(code).toBe(0);
});

test("ends when the CodeSpar of this machine that it joined has ended", async () => {
  const owner = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  onTestFinished(() => void owner.kill("SIGKILL"));
  const ready = {
    url: server.url,
    githubUrl: server.url,
    emulated: true,
    repository: "local/shop",
    project: "shop",
    account: "anna",
    conversation: "shop",
  };
  const state = temporaryFolder();
  writeFileSync(join(state, "instance.json"), JSON.stringify({ version: 1, pid: owner.pid, startTime: null, ready }));
  const child = spawnCli(["chat"], { CODESPAR_STATE_DIR: state, CODESPAR_TOKEN: TOKEN });
  const said = text(child.stderr);
  await vi.waitFor(() => expect(server.connections).toHaveLength(1), { timeout: 5000 });
  owner.kill("SIGKILL");
  const [code] = await once(child, "exit");
  expect(await said).toContain("The CodeSpar that ran here has ended. Start it again with `npm start`.\n");
  expect(code).toBe(1);
});

test("says that nobody answers, with what to do", async () => {
  await server.close();
  const { stderr, code } = await runCli(chat("--once", "status"));
  expect(stderr).toBe(`No CodeSpar answers at ${server.url}. Start one with \`npm start\`, or give --url.\n`);
  expect(code).toBe(1);
});

test("says that the token is wrong, or that there is none", async () => {
  const wrong = await runCli(["chat", "--url", server.url, "--token", "wrong", "--once", "status"]);
  expect(wrong).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("refused the token: This token is not known here."),
  });
  const none = await runCli(["chat", "--url", server.url, "--once", "status"]);
  expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining("--token or CODESPAR_TOKEN") });
});
