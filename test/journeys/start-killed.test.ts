import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { TerminalClient } from "./terminal-client.ts";

/** `npm start` itself is killed, and with it the GitHub it emulates: what was accepted is finished at the next start. */
const ROOT = join(import.meta.dirname, "../..");
const MESSAGES = 6; // three tasks run at once, so that some run and some wait

type Ready = { url: string; githubUrl: string; repository: string; account: string; conversation: string };
type Started = ChildProcessByStdio<Writable, Readable, Readable>;

let state: string;
let terminal: TerminalClient | undefined;
const running: Started[] = [];
/** Every message so far, and its pull request's branch: nothing may come late. */
const branches = new Map<string, string>();

beforeAll(() => {
  state = mkdtempSync(join(tmpdir(), "codespar-start-killed-"));
  // Any port the first time, then always that one.
  writeFileSync(join(state, "ports.json"), JSON.stringify({ worker: 0, github: 0 }));
});
afterEach(() => {
  terminal?.close();
  for (const child of running.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rmSync(state, { recursive: true, force: true, maxRetries: 5 }));

function start(): Started {
  const child = spawn(process.execPath, [join(ROOT, "cli/main.ts"), "start"], {
    cwd: ROOT,
    env: { ...process.env, CODESPAR_STATE_DIR: state, NO_COLOR: "1" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  running.push(child);
  return child;
}

/** What a process started says of itself once it can be joined. */
const readyOf = ({ pid }: Started): Promise<Ready> =>
  vi.waitFor(
    () => {
      const record = JSON.parse(readFileSync(join(state, "instance.json"), "utf8")) as { pid: number; ready?: Ready };
      if (record.pid !== pid || !record.ready) throw new Error("It does not run yet.");
      return record.ready;
    },
    { timeout: 30_000, interval: 50 },
  );

async function openTerminal({ url, account, conversation }: Ready): Promise<TerminalClient> {
  const response = await fetch(`${url}/api/tokens`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${readFileSync(join(state, "api-token"), "utf8").trim()}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ account, name: account }),
  });
  const { token } = (await response.json()) as { token: string };
  terminal = new TerminalClient(url, token, conversation);
  return terminal;
}

const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/healthz`, { signal: AbortSignal.timeout(1000) }).then(
    () => true,
    () => false,
  );

/** The page of each pull request. */
async function pullRequestPages({ githubUrl, repository }: Ready): Promise<string[]> {
  const page = async (path: string) => (await fetch(`${githubUrl}/${repository}${path}`)).text();
  const paths = new Set((await page("/pulls")).match(/\/pull\/\d+/g));
  return Promise.all([...paths].map(page));
}

/** When the process is killed, given what the terminal has been shown by then. */
const MOMENTS: [string, (client: TerminalClient) => boolean][] = [
  ["as soon as all messages were accepted", () => true],
  ["when the first progress was shown", ({ shown }) => shown.some(({ kind }) => kind === "progress")],
  ["when the first task was done", ({ shown }) => shown.some(({ kind }) => kind === "final")],
];

describe("npm start, killed with tasks in flight", () => {
  it.each(MOMENTS)(
    "%s, takes workerd with it and finishes each task once at the next start",
    async (when, isMoment) => {
      const first = start();
      const before = await readyOf(first);
      const client = await openTerminal(before);
      const ids = Array.from({ length: MESSAGES }, (_, index) => `${when.replaceAll(" ", "-")}-${index}`);
      for (const id of ids) client.say(id, `fix the login timeout, ${id}`);
      await client.until(
        () => (ids.every((id) => client.accepted.has(id)) && isMoment(client)) || undefined,
        30_000,
        `the moment: ${when}`,
      );
      first.kill("SIGKILL");
      expect(client.shown.filter(({ kind }) => kind === "final").length).toBeLessThan(MESSAGES);
      await vi.waitFor(async () => expect(await answers(before.url)).toBe(false), { timeout: 5000, interval: 20 });

      const after = await readyOf(start());
      expect(after.url).toBe(before.url);
      for (const id of ids) {
        const final = await client.final(id);
        const words = JSON.stringify(final.blocks);
        expect(final.ok, words).toBe(true);
        branches.set(id, /codespar\/task-[a-z0-9]{8}/.exec(words)?.[0] ?? "no branch");
      }
      expect(new Set(branches.values()).size).toBe(branches.size);
      for (const id of ids) expect(client.finals(id), id).toHaveLength(1);
      const pages = await pullRequestPages(after);
      expect(pages).toHaveLength(branches.size);
      for (const [id, branch] of branches)
        expect(
          pages.filter((page) => page.includes(branch)),
          id,
        ).toHaveLength(1);
    },
  );

  it("a terminal that had joined it ends, and says so", async () => {
    const owner = start();
    await readyOf(owner);
    const joined = start();
    const [said, exit] = [text(joined.stderr), new Promise((done) => joined.on("exit", done))];
    await new Promise((done) => joined.stdout.once("data", done));
    owner.kill("SIGKILL");
    expect(await exit).toBe(1);
    // On a busy machine it may not have been connected yet.
    expect(await said).toMatch(/(The CodeSpar that ran here has ended|No CodeSpar answers at \S+)\. .*`npm start`/);
  });
});
