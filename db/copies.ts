import { type SQL, sql } from "drizzle-orm";
import { SQLiteAsyncDialect } from "drizzle-orm/sqlite-core";
import { agents, auditEntries, conversations, projects, tasks, workspaces } from "./schema.ts";

/** One idempotent write of a copy. */
export type CopyStatement = SQL;

export type AuditCopy = {
  chain: string;
  sequence: number;
  hash: string;
  text: string;
  at: string;
  actor: string;
  action: string;
  subject: string;
};

const dialect = new SQLiteAsyncDialect({ casing: "snake_case" });

/** Sends all statements in one round trip and one transaction. (Drizzle's own `batch` takes no raw SQL on D1.) */
export async function writeCopies(d1: D1Database, statements: CopyStatement[]): Promise<void> {
  if (statements.length === 0) return;
  await d1.batch(
    statements.map((statement) => {
      const { sql: query, params } = dialect.sqlToQuery(statement);
      return d1.prepare(query).bind(...params);
    }),
  );
}

/**
 * Any number of entries as one JSON parameter: D1 takes 100 bound parameters a statement. A trigger ignores
 * entries that are there already.
 */
export const copyAuditEntries = (entries: AuditCopy[]): CopyStatement => sql`
  insert into ${auditEntries} (chain, sequence, hash, text, at, actor, action, subject)
  select value->>'chain', value->>'sequence', value->>'hash', value->>'text', value->>'at', value->>'actor', value->>'action', value->>'subject'
  from json_each(${JSON.stringify(entries)})`;

export const copyConversation = (row: {
  key: string;
  organisation: string;
  project: string | null;
  revision: number;
}): CopyStatement => sql`
  insert into ${conversations} (key, organisation, project, revision)
  values (${row.key}, ${row.organisation}, ${row.project}, ${row.revision})
  on conflict (key) do update set organisation = excluded.organisation, project = excluded.project, revision = excluded.revision
  where excluded.revision > ${conversations}.revision`;

/** A workspace belongs to the organisation that claimed it first. */
export const copyWorkspace = (row: { channel: string; workspace: string; organisation: string }): CopyStatement => sql`
  insert into ${workspaces} (channel, workspace, organisation)
  values (${row.channel}, ${row.workspace}, ${row.organisation}) on conflict do nothing`;

export const copyProject = (row: {
  organisation: string;
  name: string;
  repository: string;
  createdAt: number;
}): CopyStatement => sql`
  insert into ${projects} (organisation, name, repository, created_at)
  values (${row.organisation}, ${row.name}, ${row.repository}, ${row.createdAt})
  on conflict (organisation, name) do update set repository = excluded.repository`;

export const copyTask = (row: {
  organisation: string;
  project: string;
  id: string;
  status: string;
  instruction: string;
  requestedBy: string;
  outcome: string | null;
  pullRequestUrl: string | null;
  createdAt: number;
  endedAt: number | null;
}): CopyStatement => sql`
  insert into ${tasks} (organisation, project, id, status, instruction, requested_by, outcome, pull_request_url, created_at, ended_at)
  values (${row.organisation}, ${row.project}, ${row.id}, ${row.status}, ${row.instruction}, ${row.requestedBy}, ${row.outcome},
    ${row.pullRequestUrl}, ${row.createdAt}, ${row.endedAt})
  on conflict (organisation, project, id) do update set status = excluded.status, outcome = excluded.outcome,
    pull_request_url = excluded.pull_request_url, ended_at = excluded.ended_at`;

export const copyAgent = (row: {
  organisation: string;
  project: string;
  id: string;
  kind: string;
  state: string | null;
  outcome: string | null;
  updatedAt: number;
  endedAt: number | null;
}): CopyStatement => sql`
  insert into ${agents} (organisation, project, id, kind, state, outcome, updated_at, ended_at)
  values (${row.organisation}, ${row.project}, ${row.id}, ${row.kind}, ${row.state}, ${row.outcome}, ${row.updatedAt}, ${row.endedAt})
  on conflict (organisation, project, id) do update set state = excluded.state, outcome = excluded.outcome,
    updated_at = excluded.updated_at, ended_at = excluded.ended_at`;
