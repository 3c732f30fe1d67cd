import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { newWorld, type World } from "../worker/world.ts";
import { putTriggersBack, withoutTriggers } from "./without-triggers.ts";

afterEach(putTriggersBack);

const alter = (chain: string, sequence: number, set: string) =>
  withoutTriggers(
    env.DB.prepare(`update audit_entries set ${set} where chain = ? and sequence = ?`).bind(chain, sequence),
  );

const chainsOf = ({ organisation, name }: World) => ({
  project: `project:${organisation}/${name}`,
  organisation: `organisation:${organisation}`,
});

/** A project whose chain and whose organisation's have entries that were copied. */
async function withCopies(): Promise<World> {
  const world = await newWorld({ onGitHub: false });
  for (const text of ["whoami", "autonomy L2"]) await world.ask(world.anna, text);
  const { ok, words } = await world.ask(world.anna, "audit verify");
  const { project, organisation } = chainsOf(world);
  expect([ok, words]).toEqual([true, expect.stringContaining(`✓ ${project}: `)]);
  expect(words).toContain(`✓ ${organisation}: `);
  return world;
}

describe("audit verify", () => {
  it.for([
    ["actor", "actor = 'person-someone-else'"],
    ["action", "action = 'tool'"],
    ["subject", "subject = 'fix'"],
    ["time", "at = '2001-01-01T00:00:00.000Z'"],
  ] as const)("names the entry whose %s says something else in the database than its text", async ([, set]) => {
    const world = await withCopies();
    const chain = chainsOf(world).project;
    await alter(chain, 3, set);
    const { ok, words } = await world.ask(world.anna, "audit verify");
    expect(ok).toBe(false);
    expect(words).toContain(`The copy of ${chain} in the database is broken at entry 3. Its columns say`);
    expect(words).toContain(`✓ ${chainsOf(world).organisation}: `);
  });

  it.for([
    ["a column", "subject = 'nothing'"],
    ["its text", "text = replace(text, '\"action\"', '\"acti0n\"')"],
  ] as const)("names an organisation's entry of which %s was altered in the database", async ([, set]) => {
    const world = await withCopies();
    const { project, organisation } = chainsOf(world);
    await alter(organisation, 2, set);
    const { ok, words } = await world.ask(world.anna, "audit verify");
    expect(ok).toBe(false);
    expect(words).toContain(`The copy of ${organisation} in the database is broken at entry 2.`);
    expect(words).toContain(`✓ ${project}: `);
  });
});
