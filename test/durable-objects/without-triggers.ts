import { env } from "cloudflare:workers";

const putBack: string[] = [];

/** Alters copied audit entries as only the database's owner can: without the triggers that refuse it. */
export async function withoutTriggers(...statements: D1PreparedStatement[]): Promise<void> {
  const { results } = await env.DB.prepare(
    "select name, sql from sqlite_master where type = 'trigger' and tbl_name = 'audit_entries'",
  ).all<{ name: string; sql: string }>();
  for (const { name, sql } of results) {
    putBack.push(sql);
    await env.DB.prepare(`drop trigger ${name}`).run();
  }
  await env.DB.batch(statements);
}

/** To be called after each test that took them away. */
export async function putTriggersBack(): Promise<void> {
  for (const sql of putBack.splice(0)) await env.DB.prepare(sql).run();
}
