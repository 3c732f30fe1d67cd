import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Stack, git, startStack } from "./stack.ts";
import { TerminalClient } from "./terminal-client.ts";

/**
 * SIGKILL of workerd at any moment of a task, and its new start, lead to exactly one final reply and exactly one pull request.
 * The moments: before and after the work of every request a task makes to GitHub, at every message a person is shown, and at random,
 * with GitHub failing, answering late, and losing answers after having done the work.
 */
const ACCOUNT = "anna";
const RANDOM_KILLS = 12;
const SEED = Number(process.env["KILL_SEED"] ?? Date.now() % 100_000);

let stack: Stack;
let terminal: TerminalClient;
let count = 0;
let kills = 0;
/** Every task's pull requests and final replies are checked again at the end: nothing may come late. */
const deliveries: { id: string; branch: string }[] = [];

beforeAll(async () => {
  stack = await startStack({ account: ACCOUNT, bindings: { WATCHDOG_MS: "1500", GITHUB_TIMEOUT_MS: "3000" } });
  terminal = new TerminalClient(stack.runtime.url, await stack.terminalToken(ACCOUNT), "main");
});

afterAll(async () => {
  terminal.close();
  await stack.close();
  console.log(`killed workerd ${kills} times in ${deliveries.length} tasks (seed ${SEED})`);
});

afterEach(() => {
  stack.github.faults.clear();
  delete stack.github.hooks.onRequest;
  delete stack.github.hooks.onResponse;
  terminal.onShown = () => undefined;
  terminal.onAccepted = () => undefined;
});

function kill(): void {
  kills += 1;
  stack.kill();
}

type Pull = { number: number; head: { ref: string }; state: string };

async function pullRequestsOf(branch: string): Promise<Pull[]> {
  const response = await fetch(
    `${stack.github.url}/repos/local/shop/pulls?state=all&per_page=100&head=local:${branch}`,
    {
      headers: { authorization: "Bearer github-token-for-tests" },
    },
  );
  return (await response.json()) as Pull[];
}

/** Asks for something and checks that it ends as it should, whatever happens meanwhile. */
async function completesOnce(arm: () => void): Promise<void> {
  count += 1;
  const id = `delivery-${count}`;
  arm();
  terminal.say(id, `fix the login timeout, number ${count}`);
  const final = await terminal.final(id);
  const text = JSON.stringify(final.blocks);
  expect(final.ok, text).toBe(true);
  const branch = /codespar\/task-[a-z0-9]{8}/.exec(text)?.[0] ?? "no branch";
  deliveries.push({ id, branch });
  await checked({ id, branch });
}

async function checked({ id, branch }: { id: string; branch: string }): Promise<void> {
  expect(terminal.finals(id)).toHaveLength(1);
  expect(await pullRequestsOf(branch)).toHaveLength(1);
  expect(git(stack.repository, "rev-list", "--count", `main..${branch}`)).toBe("1");
  expect(git(stack.repository, "diff", "--name-only", `main...${branch}`)).toBe(
    `.codespar/simulated/${branch.slice("codespar/".length)}.md`,
  );
}

/** The requests of one undisturbed task, as method and path with names and hashes taken out. */
async function requestsOfATask(): Promise<string[]> {
  const before = stack.github.requests.at(-1)?.n ?? 0;
  await completesOnce(() => undefined);
  return stack.github.requests
    .filter(({ n, path }) => n > before && path.startsWith("/repos/local/shop") && !path.endsWith("/pulls?"))
    .map(({ method, path }) => `${method} ${path.replaceAll(/[0-9a-f]{40}|task-[a-z0-9]{8}/g, "*")}`);
}

describe("killed anywhere, a task ends in one final reply and one pull request", () => {
  it("at every request to GitHub, before and after its work", async () => {
    const steps = (await requestsOfATask()).slice(0, -1);
    // The last one counted above is this test's own look at the pull requests.
    expect(steps.length).toBeGreaterThanOrEqual(8);
    for (const step of steps.keys()) {
      for (const moment of ["onRequest", "onResponse"] as const) {
        let seen = 0;
        await completesOnce(() => {
          stack.github.hooks[moment] = () => {
            if (seen === step) kill();
            seen += 1;
          };
        });
        expect(seen).toBeGreaterThan(step);
        stack.github.hooks = Object.assign(stack.github.hooks, { onRequest: undefined, onResponse: undefined });
      }
    }
  });

  it("at every message the person is shown, before it is acknowledged", async () => {
    for (const at of ["accepted", 1, 2, 3, 4, "final"] as const) {
      let shown = 0;
      let killed = false;
      const once = () => {
        if (!killed) kill();
        killed = true;
      };
      await completesOnce(() => {
        terminal.onAccepted = () => at === "accepted" && once();
        terminal.onShown = ({ kind }) => {
          if (kind === "progress") shown += 1;
          if (kind === "final" ? at === "final" : shown === at) once();
        };
      });
      expect(killed || typeof at === "number").toBe(true);
    }
  });

  it("at random moments", async () => {
    const random = mulberry32(SEED);
    for (let round = 0; round < RANDOM_KILLS; round += 1) {
      const afterMs = random() * 900;
      let killed: Promise<void> | undefined;
      await completesOnce(() => {
        killed = new Promise((resolve) => setTimeout(() => resolve(kill()), afterMs));
      });
      // A task is often faster than its killer: then this kill falls between two tasks.
      await killed;
    }
  });

  it("with GitHub failing, answering late, and losing answers after having done the work", async () => {
    const write = { method: "POST", path: /\/(git\/(trees|commits|refs)|pulls)$/ };
    const faults = {
      failing: { match: {}, times: 3, effect: { kind: "answer", status: 502 } },
      limiting: { match: write, times: 1, effect: { kind: "answer", status: 429, headers: { "retry-after": "1" } } },
      late: { match: write, times: 1, effect: { kind: "delay", afterMs: 4000 } },
      "losing answers": { match: write, times: 3, effect: { kind: "lose-answer" } },
    } as const;
    for (const fault of Object.values(faults)) {
      for (const killAfter of [null, 2, 6]) {
        let seen = 0;
        await completesOnce(() => {
          stack.github.faults.add(fault);
          stack.github.hooks.onResponse = () => {
            seen += 1;
            if (seen === killAfter) kill();
          };
        });
        stack.github.faults.clear();
      }
    }
  });

  it("with five tasks at once and several kills", async () => {
    const random = mulberry32(SEED + 1);
    const ids = Array.from({ length: 5 }, (_, index) => `burst-${index}`);
    for (const id of ids) terminal.say(id, `fix the burst ${id}`);
    for (let round = 0; round < 3; round += 1) {
      const asked = stack.github.requests.length;
      await terminal
        .until(() => stack.github.requests.length > asked + Math.floor(random() * 8) || undefined, 20_000, "requests")
        .catch(() => undefined);
      kill();
    }
    for (const id of ids) {
      const final = await terminal.final(id);
      const branch = /codespar\/task-[a-z0-9]{8}/.exec(JSON.stringify(final.blocks))?.[0] ?? "no branch";
      expect(final.ok, JSON.stringify(final.blocks)).toBe(true);
      deliveries.push({ id, branch });
    }
    expect(new Set(deliveries.map(({ branch }) => branch)).size).toBe(deliveries.length);
  });

  it("and nothing more comes afterwards", async () => {
    expect(kills).toBeGreaterThan(30);
    const again = await stack.api("GET", "/healthz");
    expect(again.status).toBe(200);
    for (const delivery of deliveries) await checked(delivery);
    expect(
      git(stack.repository, "for-each-ref", "--format=%(refname)", "refs/heads/codespar").split("\n"),
    ).toHaveLength(deliveries.length);
  });
});

/** A small seeded generator, so that a failing run can be repeated with KILL_SEED. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
