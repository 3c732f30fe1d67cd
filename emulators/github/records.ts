import { mkdir, open, readdir, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";

/** All times are ISO 8601 in UTC. */
export type PullRecord = {
  id: number;
  number: number;
  title: string;
  body: string | null;
  state: "open" | "closed";
  draft: boolean;
  head: string;
  base: string;
  /** Where the branches were when last looked at; final once it is closed. */
  headSha: string;
  baseSha: string;
  login: string;
  createdAt: string;
  updatedAt: string;
  closedAt: string | null;
  merged: { sha: string; at: string; by: string } | null;
  /** A merge that was begun: the commit the base is about to be moved to. */
  merging: { sha: string; by: string } | null;
};
export type CommentRecord = { id: number; issue: number; body: string; login: string; createdAt: string };
export type StatusRecord = {
  id: number;
  sha: string;
  context: string;
  state: "error" | "failure" | "pending" | "success";
  description: string | null;
  targetUrl: string | null;
  login: string;
  createdAt: string;
};
export type CheckRunRecord = {
  id: number;
  sha: string;
  name: string;
  status: "queued" | "in_progress" | "completed";
  conclusion: string | null;
  detailsUrl: string | null;
  externalId: string | null;
  startedAt: string | null;
  completedAt: string | null;
  title: string | null;
  summary: string | null;
};
export type Source = { kind: "directory" } | { kind: "empty" } | { kind: "mirror"; path: string };

/** What a repository has beyond git. */
export type RepositoryRecord = {
  id: number;
  owner: string;
  name: string;
  source: Source;
  createdAt: string;
  updatedAt: string;
  nextNumber: number;
  nextId: number;
  pulls: PullRecord[];
  comments: CommentRecord[];
  statuses: StatusRecord[];
  checkRuns: CheckRunRecord[];
};

export function newRecord(owner: string, name: string, id: number, source: Source, now: string): RepositoryRecord {
  return {
    id,
    owner,
    name,
    source,
    createdAt: now,
    updatedAt: now,
    nextNumber: 1,
    nextId: 1,
    pulls: [],
    comments: [],
    statuses: [],
    checkRuns: [],
  };
}

/** Replaces the file in one step, so that a crash leaves either the old record or the new one. */
export async function saveRecord(path: string, record: RepositoryRecord): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(`${path}.new`, "w");
  try {
    await file.writeFile(JSON.stringify(record));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

/** Every record below a directory, `<owner>/<name>.json` each. */
export async function loadRecords(directory: string): Promise<RepositoryRecord[]> {
  const records: RepositoryRecord[] = [];
  for (const owner of await readdir(directory).catch(() => [])) {
    for (const file of await readdir(join(directory, owner)).catch(() => [])) {
      if (!file.endsWith(".json")) continue;
      records.push(JSON.parse(await readFile(join(directory, owner, file), "utf8")) as RepositoryRecord);
    }
  }
  return records.toSorted((one, other) => one.id - other.id);
}
