import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeEach, expect, test } from "vitest";
import { unstable_splitSqlQuery as split } from "wrangler";
import { applyMigrations, type MigratedDatabase, migrationStatements } from "#cli/d1-migrations.ts";
import { temporaryFolder } from "./run-cli.ts";

// A real D1 in the real runtime; each test has a database of its own.
const names = ["ONE", "TWO", "THREE", "FOUR", "FIVE"];
const runtime = new Miniflare(
  convertV4MiniflareOptions({
    modules: true,
    script: "export default { fetch: () => new Response() }",
    compatibilityDate: "2026-09-01",
    d1Databases: names,
    cf: false,
  }),
);
let database: MigratedDatabase;
let next = 0;
beforeEach(async () => {
  database = await runtime.getD1Database(names[next++] ?? "");
});
afterAll(() => runtime.dispose());

const TRIGGER = `CREATE TRIGGER keep BEFORE DELETE ON t
BEGIN
  SELECT RAISE(ABORT, 'kept; always');
END;`;

function migrations(files: Record<string, string>): string {
  const folder = join(temporaryFolder(), "migrations");
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}
const rows = async (query: string) => (await database.prepare(query).all()).results;

test("applies each migration once, in order, where wrangler would look for it", async () => {
  const folder = migrations({
    "0010_last.sql": "INSERT INTO t VALUES ('last');",
    "0002_second.sql": "INSERT INTO t VALUES ('second');",
    "0001_first.sql": "CREATE TABLE t (name text);",
    "notes.md": "no SQL",
  });
  expect(await applyMigrations(database, folder, split)).toEqual([
    "0001_first.sql",
    "0002_second.sql",
    "0010_last.sql",
  ]);
  expect(await applyMigrations(database, folder, split)).toEqual([]);
  expect(await rows("SELECT name FROM t ORDER BY rowid")).toEqual([{ name: "second" }, { name: "last" }]);
  expect(await rows("SELECT id, name FROM d1_migrations")).toEqual([
    { id: 1, name: "0001_first.sql" },
    { id: 2, name: "0002_second.sql" },
    { id: 3, name: "0010_last.sql" },
  ]);
});

test("keeps triggers whole, with semicolons inside, between statement breakpoints", async () => {
  const sql = `CREATE TABLE t (name text);--> statement-breakpoint\n-- a comment; with a semicolon\n${TRIGGER}\n--> statement-breakpoint\nINSERT INTO t VALUES ('a;b');`;
  await applyMigrations(database, migrations({ "0001.sql": sql }), split);
  await expect(database.prepare("DELETE FROM t").run()).rejects.toThrow("kept; always");
  expect(await rows("SELECT name FROM t")).toEqual([{ name: "a;b" }]);
});

test("leaves nothing behind of a migration that fails, and tries it again next time", async () => {
  const folder = migrations({ "0001.sql": "CREATE TABLE t (name text);\nINSERT INTO nowhere VALUES (1);" });
  await expect(applyMigrations(database, folder, split)).rejects.toThrow("0001.sql");
  expect(await rows("SELECT name FROM sqlite_master WHERE name = 't'")).toEqual([]);
  writeFileSync(join(folder, "0001.sql"), "CREATE TABLE t (name text);");
  expect(await applyMigrations(database, folder, split)).toEqual(["0001.sql"]);
});

test("applies the project's own migrations", async () => {
  const folder = new URL("../../migrations", import.meta.url).pathname;
  expect((await applyMigrations(database, folder, split)).length).toBeGreaterThan(0);
  expect(await rows("SELECT count(*) AS entries FROM audit_entries")).toEqual([{ entries: 0 }]);
});

test("leaves out what is only comment", () => {
  expect(migrationStatements("-- nothing\n--> statement-breakpoint\n/* nor; here */\n", split)).toEqual([]);
});
