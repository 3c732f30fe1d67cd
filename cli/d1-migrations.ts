import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "./failure.ts";

/** The part of a D1 database that applying migrations needs. */
export interface MigratedDatabase {
  prepare(query: string): MigrationStatement;
  batch(statements: MigrationStatement[]): Promise<unknown>;
}
interface MigrationStatement {
  bind(...values: unknown[]): MigrationStatement;
  all(): Promise<{ results: Record<string, unknown>[] }>;
  run(): Promise<unknown>;
}

/** Cuts SQL text at the semicolons between its statements (wrangler's `unstable_splitSqlQuery`). */
export type SplitSql = (sql: string) => string[];

// What `wrangler d1 migrations apply` keeps, so that both agree on what has been applied.
const TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;
const BREAKPOINT = "--> statement-breakpoint";

const withoutComments = (sql: string): string => sql.replace(/--.*$/gm, "").replace(/\/\*[\s\S]*?\*\//g, "");

/** The statements of one migration file, those that are only comments left out. */
export const migrationStatements = (sql: string, split: SplitSql): string[] =>
  sql
    .split(BREAKPOINT)
    .flatMap((part) => split(part))
    .filter((statement) => withoutComments(statement).replaceAll(";", "").trim() !== "");

/**
 * Applies the `*.sql` files of `directory` that the database has not had yet, in the order of their names,
 * each with its own mark in one transaction. Returns the names of those applied now.
 */
export async function applyMigrations(
  database: MigratedDatabase,
  directory: string,
  split: SplitSql,
): Promise<string[]> {
  await database.prepare(TABLE).run();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all();
  const applied = new Set(results.map(({ name }) => name));
  const pending = readdirSync(directory)
    .filter((name) => name.endsWith(".sql") && !applied.has(name))
    .toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }));
  for (const name of pending) {
    const statements = migrationStatements(readFileSync(join(directory, name), "utf8"), split);
    try {
      await database.batch([
        ...statements.map((statement) => database.prepare(statement)),
        database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name),
      ]);
    } catch (error) {
      throw new Failure(`The database could not be brought up to date: ${name}: ${String(error)}`, { cause: error });
    }
  }
  return pending;
}
