import { enum as enumOf, nullish, object, optional, string } from "zod";
import { endpoint, paginate, parseBody, Refusal, type Endpoint, type RepositoryCall } from "./endpoint.ts";
import { isSha } from "./names.ts";
import { presentUser } from "./present.ts";
import { presentCheckRun, presentCombinedStatus, presentStatus } from "./present-pull.ts";
import type { CheckRunRecord, StatusRecord } from "./records.ts";
import { commitNamed } from "./routes-repository.ts";

const statusBody = object({
  state: enumOf(["error", "failure", "pending", "success"]),
  context: optional(string()),
  description: nullish(string()),
  target_url: nullish(string()),
});
const runBody = object({
  name: string(),
  head_sha: string(),
  status: optional(enumOf(["queued", "in_progress", "completed"])),
  conclusion: optional(
    enumOf(["action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out"]),
  ),
  details_url: optional(string()),
  external_id: optional(string()),
  started_at: optional(string()),
  completed_at: optional(string()),
  output: optional(object({ title: string(), summary: string() })),
});

/** The newest of each key, newest first. */
function newestOf<T extends { id: number }>(items: readonly T[], key: (item: T) => string): T[] {
  const newest = new Map<string, T>();
  for (const item of items) newest.set(key(item), item);
  return [...newest.values()].toSorted((one, other) => other.id - one.id);
}

export const statusesOf = (statuses: readonly StatusRecord[], sha: string) =>
  newestOf(
    statuses.filter((status) => status.sha === sha),
    (status) => status.context,
  );
export const runsOf = (runs: readonly CheckRunRecord[], sha: string) =>
  newestOf(
    runs.filter((run) => run.sha === sha),
    (run) => run.name,
  );

async function requireCommit(call: RepositoryCall, sha: string): Promise<void> {
  if (!isSha(sha) || (await call.repository.git.commit(sha)) === null)
    throw new Refusal(422, `No commit found for SHA: ${sha}`);
}

export const checkEndpoints: Endpoint[] = [
  endpoint("GET /commits/{ref}/status", async (call) => {
    const { repository, baseUrl } = call;
    const { sha } = await commitNamed(call, call.params["ref"] ?? "");
    const statuses = statusesOf(repository.record.statuses, sha);
    const { items, headers } = paginate(call, statuses, `/repos/${repository.fullName}/commits/${sha}/status`);
    const body = presentCombinedStatus(baseUrl, repository, sha, statuses);
    return {
      status: 200,
      headers,
      body: { ...body, statuses: items.map((status) => presentStatus(baseUrl, repository, status)) },
    };
  }),

  endpoint("POST /statuses/{sha}", async (call) => {
    const body = parseBody(statusBody, call.body);
    const sha = call.params["sha"] ?? "";
    const { repository, baseUrl, caller } = call;
    await requireCommit(call, sha);
    const status: StatusRecord = {
      id: repository.nextId(),
      sha,
      context: body.context ?? "default",
      state: body.state,
      description: body.description ?? null,
      targetUrl: body.target_url ?? null,
      login: caller.login,
      createdAt: call.now,
    };
    repository.record.statuses.push(status);
    await repository.save();
    return {
      status: 201,
      body: { ...presentStatus(baseUrl, repository, status), creator: presentUser(baseUrl, caller.login) },
    };
  }),

  endpoint("GET /commits/{ref}/check-runs", async (call) => {
    const { repository, baseUrl } = call;
    const { sha } = await commitNamed(call, call.params["ref"] ?? "");
    const all = repository.record.checkRuns.filter((run) => run.sha === sha).toReversed();
    const runs = call.query.get("filter") === "all" ? all : runsOf(repository.record.checkRuns, sha);
    const { items, headers } = paginate(call, runs, `/repos/${repository.fullName}/commits/${sha}/check-runs`);
    return {
      status: 200,
      headers,
      body: { total_count: runs.length, check_runs: items.map((run) => presentCheckRun(baseUrl, repository, run)) },
    };
  }),

  endpoint("POST /check-runs", async (call) => {
    const body = parseBody(runBody, call.body);
    const { repository, baseUrl } = call;
    await requireCommit(call, body.head_sha);
    const isDone = body.conclusion !== undefined;
    if (body.status === "completed" && !isDone)
      throw new Refusal(422, `Invalid request.\n\n"conclusion" wasn't supplied.`);
    const status = isDone ? "completed" : (body.status ?? "queued");
    const run: CheckRunRecord = {
      id: repository.nextId(),
      sha: body.head_sha,
      name: body.name,
      status,
      conclusion: body.conclusion ?? null,
      detailsUrl: body.details_url ?? null,
      externalId: body.external_id ?? null,
      startedAt: body.started_at ?? (status === "queued" ? null : call.now),
      completedAt: body.completed_at ?? (isDone ? call.now : null),
      title: body.output?.title ?? null,
      summary: body.output?.summary ?? null,
    };
    repository.record.checkRuns.push(run);
    await repository.save();
    return { status: 201, body: presentCheckRun(baseUrl, repository, run) };
  }),
];
