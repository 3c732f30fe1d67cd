import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { writeEdits } from "#core/edits-markers.ts";
import { type EdgeWorld, exportedEntries, isPick, startEdgeWorld } from "./edge-world.ts";
import { git } from "./stack.ts";

/**
 * SIGKILL of workerd before and after every request of a task done by a model, to the model and to GitHub: one final reply, one pull
 * request, and the very change that the model wanted.
 */
/** Reading the repository is what every task begins with: killed-anywhere.test.ts kills there. */
const FIRST_STEP = 4;

let world: EdgeWorld;
let kills = 0;
const done: { id: string; branch: string; limit: number }[] = [];

beforeAll(async () => {
  world = await startEdgeWorld({ GITHUB_TIMEOUT_MS: "3000" });
});
afterAll(() => world.close());
afterEach(() => {
  for (const { hooks } of [world.stack.model, world.stack.github]) {
    delete hooks.onRequest;
    delete hooks.onResponse;
  }
});

function kill(): void {
  kills += 1;
  world.stack.kill();
}

/** One task with something done to the world meanwhile. Every answer of the model is another one: only one may be seen. */
async function completesOnce(arm: () => void): Promise<void> {
  const limit = 100 + done.length;
  const answers = Array.from({ length: 20 }, () =>
    writeEdits("src/login.js", [{ search: "const MAX_FAILURES = 5;\n", replace: `const MAX_FAILURES = ${limit};\n` }]),
  );
  world.script(["src/login.js"], ...answers);
  arm();
  const { id, ok, text, branch } = await world.ask(`fix the limit to be ${limit}`);
  expect(ok, text).toBe(true);
  done.push({ id, branch, limit });
  await check({ id, branch, limit });
}

async function check({ id, branch, limit }: (typeof done)[number]): Promise<void> {
  expect(world.terminal.finals(id)).toHaveLength(1);
  expect(await world.pulls(branch)).toHaveLength(1);
  expect(git(world.stack.repository, "rev-list", "--count", `main..${branch}`)).toBe("1");
  expect(world.changes(branch)).toBe("M\tsrc/login.js");
  expect(world.show(branch, "src/login.js")).toContain(`MAX_FAILURES = ${limit};`);
}

/** Kills when the `step`th request of the next task comes to that moment. */
function killAt(of: "model" | "github", moment: "onRequest" | "onResponse", step: number): () => void {
  return () => {
    let seen = 0;
    world.stack[of].hooks[moment] = () => {
      if (seen === step) kill();
      seen += 1;
    };
  };
}

describe("killed anywhere, a task done by a model ends in one final reply and one pull request", () => {
  it("before and after each request to the model", async () => {
    for (const moment of ["onRequest", "onResponse"] as const)
      for (const step of [0, 1]) {
        await completesOnce(killAt("model", moment, step));
        delete world.stack.model.hooks[moment];
      }
    expect(kills).toBe(4);
  });

  it("in the middle of the model's answer", async () => {
    let killed = false;
    await completesOnce(() => {
      world.stack.model.hooks.onEvent = ({ body }, { type }) => {
        if (killed || isPick(body as { model: string }) || type !== "content_block_delta") return;
        killed = true;
        kill();
      };
    });
    expect(killed).toBe(true);
    delete world.stack.model.hooks.onEvent;
  });

  it("at each request to GitHub, before its work or after it", async () => {
    const first = world.stack.github.requests.at(-1)?.n ?? 0;
    await completesOnce(() => undefined);
    const steps = world.stack.github.requests.filter(
      ({ n, path }) => n > first && path.startsWith("/repos/local/shop"),
    ).length;
    // The last one is this test's own look at the pull requests.
    for (let step = FIRST_STEP; step < steps - 1; step += 1) {
      const moment = step % 2 === 0 ? "onRequest" : "onResponse";
      await completesOnce(killAt("github", moment, step));
      delete world.stack.github.hooks[moment];
    }
    expect(kills).toBe(5 + steps - 1 - FIRST_STEP);
  });

  it("and nothing more comes afterwards", async () => {
    for (const task of done) await check(task);
    const branches = world.branches().split("\n");
    expect(branches).toHaveLength(done.length);
    const { ok, text } = await world.ask("audit verify");
    expect(ok, text).toBe(true);
    // A call that was cut off may be lost to the audit; one that was answered and used is in it once.
    const models = (await exportedEntries(world)).filter(({ action }) => action === "model").length;
    expect(models).toBeGreaterThanOrEqual(2 * done.length);
    expect(models).toBeLessThanOrEqual(world.calls());
  });
});
