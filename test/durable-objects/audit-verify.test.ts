import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { verifyChain } from "#core/audit-chain.ts";
import { sha256 } from "#durable-objects/mailbox/audit-log.ts";
import { eventually, inside, newWorld, rowsOf, type World } from "../worker/world.ts";
import { putTriggersBack, withoutTriggers } from "./without-triggers.ts";

afterEach(putTriggersBack);

const chainOf = (world: World) => `project:${world.organisation}/${world.name}`;
const alter = (world: World, set: string, sequence: number) =>
  env.DB.prepare(`update audit_entries set ${set} where chain = ? and sequence = ?`).bind(chainOf(world), sequence);

/** A project with a chain of some length, copied to the database. */
async function withHistory(): Promise<World> {
  const world = await newWorld({ onGitHub: false });
  for (const text of ["status", "whoami", "autonomy L2", "frobnicate"]) await world.ask(world.anna, text);
  await world.ask(world.anna, "audit verify");
  return world;
}

describe("audit verify", () => {
  it("says that both the agent's chain and its copy are whole", async () => {
    const world = await withHistory();
    const { ok, words } = await world.ask(world.anna, "audit verify");
    expect([ok, words]).toEqual([true, expect.stringMatching(/✓ .*\d+ entries verified, here and in the database/)]);
  });

  it("names the entry whose text was altered in the database", async () => {
    const world = await withHistory();
    await withoutTriggers(
      alter(world, "text = replace(text, 'whoami', 'whoamx')", 6),
      alter(world, "text = text || ' '", 6),
    );
    const { ok, words } = await world.ask(world.anna, "audit verify");
    expect([ok, words]).toEqual([false, expect.stringMatching(/The copy .*in the database is broken at entry 6\./)]);
  });

  it("names the entry that was altered together with its hash", async () => {
    const world = await withHistory();
    const text =
      (await rowsOf<{ text: string }>(world.project, "select text from audit where sequence = 5"))[0]?.text ?? "";
    const forged = text.replace(/"at":"20\d\d/, '"at":"2001');
    await withoutTriggers(
      env.DB.prepare("update audit_entries set text = ?, hash = ? where chain = ? and sequence = 5").bind(
        forged,
        sha256(forged),
        chainOf(world),
      ),
    );
    expect((await world.ask(world.anna, "audit verify")).words).toContain("broken at entry 5");
  });

  it.for([
    [1, "at its beginning"],
    [4, "in its middle"],
  ] as const)("names the entry %i that was taken out %s", async ([sequence]) => {
    const world = await withHistory();
    await withoutTriggers(
      env.DB.prepare("delete from audit_entries where chain = ? and sequence = ?").bind(chainOf(world), sequence),
    );
    expect((await world.ask(world.anna, "audit verify")).words).toContain(`broken at entry ${sequence}`);
  });

  it("finds that the end was cut off", async () => {
    const world = await withHistory();
    // As far as it was copied: what comes after is copied by the verification itself.
    const last = await eventually(async () => {
      await runDurableObjectAlarm(world.project);
      const copied = await env.DB.prepare("select max(sequence) as last from audit_entries where chain = ?")
        .bind(chainOf(world))
        .first<number>("last");
      const [head] = await rowsOf<{ last: number }>(world.project, "select max(sequence) as last from audit");
      expect(copied).toBe(head?.last);
      return copied ?? 0;
    });
    await withoutTriggers(
      env.DB.prepare("delete from audit_entries where chain = ? and sequence >= ?").bind(chainOf(world), last - 1),
    );
    expect((await world.ask(world.anna, "audit verify")).words).toContain(`broken at entry ${last - 1}`);
  });

  it("names the entry that was altered in the agent's own chain", async () => {
    const world = await withHistory();
    await inside(
      world.project,
      (_, state) =>
        void state.storage.sql.exec(
          'update audit set text = replace(text, \'"at":"20\', \'"at":"19\') where sequence = 3',
        ),
    );
    expect((await world.ask(world.anna, "audit verify")).words).toContain(`${chainOf(world)} is broken at entry 3`);
  });
});

describe("the chain", () => {
  it("is one without gaps, whatever happened at once", async () => {
    const world = await newWorld();
    await Promise.all(
      ["status", "fix the login", "prs", "whoami", "autonomy L3", "nonsense", "stop", "audit verify"].map((text) =>
        world.ask(world.anna, text),
      ),
    );
    for (const [source, chain] of [
      [world.project, chainOf(world)],
      [world.coordinator, `organisation:${world.organisation}`],
    ] as const) {
      const { rows } = await source.auditPage(1, 10_000);
      expect(verifyChain(rows, { sha256, chain })).toMatchObject({ ok: true, entries: rows.length });
    }
  });

  it("has no entry of a command that failed in its transaction", async () => {
    const world = await newWorld({ onGitHub: false });
    const before = await world.entries();
    await inside(
      world.project,
      (agent: { transaction(change: () => void): void; audit: { append(fields: object): void } }) => {
        const fields = {
          actor: { kind: "system", id: "x", name: "x" },
          action: "command",
          subject: "lost",
          details: {},
        };
        expect(() =>
          agent.transaction(() => {
            agent.audit.append(fields);
            throw new Error("no");
          }),
        ).toThrow("no");
      },
    );
    const { id } = await world.ask(world.anna, "whoami");
    const entries = await world.entries();
    expect(entries[before.length]).toMatchObject({ sequence: before.length + 1, details: { delivery: id } });
    expect(JSON.stringify(entries)).not.toContain("lost");
  });

  it("shows its newest entries in a conversation", async () => {
    const world = await withHistory();
    const { words } = await world.ask(world.anna, "audit 5");
    expect(words.split("\n").filter((line) => line.startsWith("#"))).toHaveLength(5);
  });
});
