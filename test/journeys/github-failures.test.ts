import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { toPlainText } from "#core/response.ts";
import { type Stack, git, startStack } from "./stack.ts";
import { TerminalClient } from "./terminal-client.ts";

/** What a person reads when GitHub does not do what was hoped for: what happened and what to do, once; and nothing is half done. */
let stack: Stack;
let terminal: TerminalClient;
let count = 0;

beforeAll(async () => {
  stack = await startStack({ account: "anna", bindings: { WATCHDOG_MS: "3000", GITHUB_TIMEOUT_MS: "500" } });
  terminal = new TerminalClient(stack.runtime.url, await stack.terminalToken("anna"), "main");
});

afterAll(async () => {
  terminal.close();
  await stack.close();
});

afterEach(() => stack.github.faults.clear());

async function ask(text: string): Promise<{ ok: boolean; text: string; progress: string }> {
  count += 1;
  const id = `ask-${count}`;
  terminal.say(id, text);
  const final = await terminal.final(id, 120_000);
  expect(terminal.finals(id)).toHaveLength(1);
  const progress = terminal.shown.filter((shown) => shown.inReplyTo === id && shown.kind === "progress");
  return {
    ok: final.ok,
    text: toPlainText(final.blocks),
    progress: progress.map(({ blocks }) => toPlainText(blocks)).join("\n"),
  };
}

const branches = () => git(stack.repository, "for-each-ref", "--format=%(refname)", "refs/heads/codespar");
const pulls = async () => {
  const response = await fetch(`${stack.github.url}/repos/local/shop/pulls?state=all`, {
    headers: { authorization: "Bearer github-token-for-tests" },
  });
  return ((await response.json()) as unknown[]).length;
};

async function leavesNothing(work: () => Promise<void>): Promise<void> {
  const before = [branches(), await pulls()];
  await work();
  stack.github.faults.clear();
  expect([branches(), await pulls()]).toEqual(before);
}

describe("when GitHub does not do what was hoped for", () => {
  it("a token without permission to write commits is told what it needs", () =>
    leavesNothing(async () => {
      const body = { message: "Resource not accessible by personal access token", documentation_url: "" };
      stack.github.faults.add({ match: { method: "POST" }, effect: { kind: "answer", status: 403, body } });
      const reply = await ask("fix the permissions");
      expect(reply.ok).toBe(false);
      expect(reply.text).toContain("contents: write");
    }));

  it("a token that may push but not open pull requests leaves no branch behind", () =>
    leavesNothing(async () => {
      const body = { message: "Resource not accessible by integration", documentation_url: "" };
      stack.github.faults.add({
        match: { method: "POST", path: /\/pulls$/ },
        effect: { kind: "answer", status: 403, body },
      });
      const reply = await ask("fix the half done");
      expect(reply.ok).toBe(false);
      expect(reply.text).toContain("pull requests: write");
    }));

  it("bad credentials are named as such", () =>
    leavesNothing(async () => {
      stack.github.faults.add({
        match: {},
        effect: { kind: "answer", status: 401, body: { message: "Bad credentials" } },
      });
      const reply = await ask("fix the credentials");
      expect(reply.ok).toBe(false);
      expect(reply.text).toContain("GITHUB_TOKEN");
    }));

  it("a repository that is gone is said to be gone", () =>
    leavesNothing(async () => {
      stack.github.faults.add({ match: {}, effect: { kind: "answer", status: 404, body: { message: "Not Found" } } });
      const reply = await ask("fix what is gone");
      expect(reply.ok).toBe(false);
      expect(reply.text).toContain("local/shop");
    }));

  it("GitHub being down is waited for, told, and then given up once", () =>
    leavesNothing(async () => {
      stack.github.faults.add({
        match: {},
        effect: { kind: "answer", status: 503, body: { message: "Service unavailable" } },
      });
      const reply = await ask("fix the outage");
      expect(reply.ok).toBe(false);
      expect(reply.progress).toMatch(/Trying again in \d+ s/);
      expect(reply.text).toMatch(/GitHub/);
    }));

  it("a passing outage, a slow answer and a rate limit end in a pull request all the same", async () => {
    const before = await pulls();
    stack.github.faults.add({ match: {}, times: 1, effect: { kind: "answer", status: 502 } });
    stack.github.faults.add({
      match: { method: "POST", path: /trees$/ },
      times: 1,
      effect: { kind: "delay", beforeMs: 2000 },
    });
    const headers = { "retry-after": "1" };
    stack.github.faults.add({
      match: { path: /\/pulls$/ },
      times: 1,
      effect: { kind: "answer", status: 429, headers },
    });
    const reply = await ask("fix the hiccups");
    expect(reply.ok, reply.text).toBe(true);
    expect(await pulls()).toBe(before + 1);
  });

  it("a rate limit that lasts longer than anyone waits is told with its time", () =>
    leavesNothing(async () => {
      const headers = {
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": String(Math.floor(Date.now() / 1000) + 3000),
      };
      stack.github.faults.add({
        match: {},
        effect: { kind: "answer", status: 403, headers, body: { message: "API rate limit exceeded" } },
      });
      const reply = await ask("fix the limit");
      expect(reply.ok).toBe(false);
      expect(reply.text).toMatch(/limit/i);
      expect(reply.text).toMatch(/minute|4\d|50/);
    }));

  it("nonsense instead of an answer does not become a pull request", () =>
    leavesNothing(async () => {
      stack.github.faults.add({ match: {}, effect: { kind: "malformed-body" } });
      const reply = await ask("fix the nonsense");
      expect(reply.ok).toBe(false);
      expect(reply.text).toMatch(/GitHub/);
    }));

  it("a truncated tree is worked with, and the change says so", async () => {
    stack.github.faults.add({ match: { path: /\/git\/trees\// }, effect: { kind: "truncated-tree" } });
    const reply = await ask("fix the large repository");
    expect(reply.ok, reply.text).toBe(true);
    const branch = /codespar\/task-[a-z0-9]{8}/.exec(reply.text)?.[0] ?? "none";
    const file = git(stack.repository, "show", `${branch}:.codespar/simulated/${branch.slice(9)}.md`);
    expect(file).toContain("larger than one listing");
  });

  it("an empty repository is told to have no commits, a missing one to be unknown", async () => {
    await stack.github.create("local", "empty", { empty: true });
    expect((await ask("link local/empty")).ok).toBe(true);
    const reply = await ask("fix the emptiness");
    expect(reply.ok).toBe(false);
    expect(reply.text).toMatch(/no commits yet/);
    const unknown = await ask("link local/nowhere");
    expect(unknown.ok).toBe(false);
    expect(unknown.text).toContain("local/nowhere");
    expect((await ask("link local/shop")).ok).toBe(true);
  });
});
