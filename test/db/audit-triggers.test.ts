import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type AuditCopy, copyAuditEntries, writeCopies } from "#db/copies.ts";
import { readAuditPage } from "#db/audit.ts";

let chain = "";
const entry = (sequence: number, text = `text ${sequence}`): AuditCopy => ({
  chain,
  sequence,
  hash: `hash ${sequence}`,
  text,
  at: "2026-01-02T03:04:05.678Z",
  actor: "anna",
  action: "command",
  subject: "fix",
});
const run = (sql: string, ...values: unknown[]) =>
  env.DB.prepare(sql)
    .bind(...values)
    .run();
const texts = async () => (await readAuditPage(env.DB, chain, 1, 100)).map(({ text }) => text);

beforeEach(async () => {
  chain = `project:default/${crypto.randomUUID()}`;
  await writeCopies(env.DB, [copyAuditEntries([1, 2, 3].map((sequence) => entry(sequence)))]);
});

const COLUMNS =
  "(chain, sequence, hash, text, at, actor, action, subject) values (?, ?, 'x', 'forged', 'x', 'x', 'x', 'x')";

describe("a copied audit entry", () => {
  it("cannot be changed", async () => {
    await expect(
      run("update audit_entries set text = 'forged' where chain = ? and sequence = 2", chain),
    ).rejects.toThrow("audit entries cannot be changed");
    expect(await texts()).toEqual(["text 1", "text 2", "text 3"]);
  });

  it("cannot be moved to another place", async () => {
    await expect(run("update audit_entries set sequence = 9 where chain = ? and sequence = 3", chain)).rejects.toThrow(
      "audit entries cannot be changed",
    );
  });

  it.for([
    ["insert", `insert into audit_entries ${COLUMNS}`],
    ["insert or ignore", `insert or ignore into audit_entries ${COLUMNS}`],
    ["insert or replace", `insert or replace into audit_entries ${COLUMNS}`],
    ["replace", `replace into audit_entries ${COLUMNS}`],
    [
      "insert … on conflict do update",
      `insert into audit_entries ${COLUMNS} on conflict (chain, sequence) do update set text = 'forged'`,
    ],
  ] as const)("stays when it is written again with %s", async ([, sql]) => {
    await run(sql, chain, 2);
    expect(await texts()).toEqual(["text 1", "text 2", "text 3"]);
  });

  it("stays when an update would put another in its place", async () => {
    await expect(
      run("update or replace audit_entries set sequence = 2 where chain = ? and sequence = 3", chain),
    ).rejects.toThrow("audit entries cannot be changed");
    expect(await texts()).toEqual(["text 1", "text 2", "text 3"]);
  });

  it("cannot be deleted", async () => {
    await expect(run("delete from audit_entries where chain = ? and sequence = 3", chain)).rejects.toThrow(
      "audit entries cannot be deleted",
    );
    await expect(run("delete from audit_entries where chain = ?", chain)).rejects.toThrow(
      "audit entries cannot be deleted",
    );
    expect(await texts()).toHaveLength(3);
  });

  it("can be deleted where retention names a prefix that it is in, and nowhere else", async () => {
    await run("insert into retention (chain, before_sequence) values (?, 3)", chain);
    await expect(run("delete from audit_entries where chain = ? and sequence = 3", chain)).rejects.toThrow(
      "audit entries cannot be deleted",
    );
    await run("delete from audit_entries where chain = ? and sequence < 3", chain);
    expect(await texts()).toEqual(["text 3"]);
  });

  it("is not deleted by another chain's retention", async () => {
    await run("insert into retention (chain, before_sequence) values (?, 3)", `${chain}-other`);
    await expect(run("delete from audit_entries where chain = ? and sequence = 1", chain)).rejects.toThrow(
      "audit entries cannot be deleted",
    );
  });
});

it("takes the same entries again without a change, together with new ones", async () => {
  await writeCopies(env.DB, [copyAuditEntries([entry(2), entry(3), entry(4)])]);
  expect(await texts()).toEqual(["text 1", "text 2", "text 3", "text 4"]);
});

it("copies hundreds of entries with quotes, emoji and line breaks in one statement", async () => {
  const text = `{"a":"it's \\"quoted\\" 🚀\\n"}`;
  await writeCopies(env.DB, [copyAuditEntries(Array.from({ length: 500 }, (_, index) => entry(index + 4, text)))]);
  const rows = await readAuditPage(env.DB, chain, 4, 1000);
  expect(rows).toHaveLength(500);
  expect(rows.every((row) => row.text === text)).toBe(true);
});
