import { boolean, enum as enumOf, nullish, object, optional, string } from "zod";
import { forkPoint, patches } from "./comparison.ts";
import {
  endpoint,
  invalid,
  notFound,
  paginate,
  parseBody,
  Refusal,
  refuse,
  type Endpoint,
  type RepositoryCall,
} from "./endpoint.ts";
import { writeMerge } from "./merge.ts";
import { presentFile } from "./present.ts";
import { presentComment, presentPull, presentWholePull } from "./present-pull.ts";
import type { PullRecord } from "./records.ts";

const openBody = object({
  title: string(),
  head: string(),
  base: string(),
  body: nullish(string()),
  draft: optional(boolean()),
});
const changeBody = object({
  title: optional(string()),
  body: nullish(string()),
  state: optional(enumOf(["open", "closed"])),
  base: optional(string()),
});
const mergeBody = object({
  sha: optional(string()),
  merge_method: optional(enumOf(["merge", "squash", "rebase"])),
  commit_title: optional(string()),
  commit_message: optional(string()),
});
const commentBody = object({ body: string() });

/** GitHub lists no more files of a pull request than this. */
const MAX_FILES = 3000;

function find({ repository, params }: RepositoryCall, name = "pull_number"): PullRecord {
  const pull = repository.record.pulls.find((one) => String(one.number) === params[name]);
  if (pull === undefined) throw notFound();
  return pull;
}

/** Follows the mirrored repository and brings pull requests up to date, for reads. */
async function freshen({ repository, now }: RepositoryCall): Promise<void> {
  await repository.exclusively(async () => {
    await repository.refresh();
    await repository.settlePulls(now);
  });
}

async function whole(call: RepositoryCall, pull: PullRecord) {
  return presentWholePull(call.baseUrl, call.repository, pull, await call.repository.defaultBranch());
}

/** `owner:branch` or `branch`; only this repository's own branches exist here. */
function branchOf({ repository }: RepositoryCall, head: string): string {
  const prefix = `${repository.record.owner}:`;
  return head.toLowerCase().startsWith(prefix.toLowerCase()) ? head.slice(prefix.length) : head;
}

export const pullEndpoints: Endpoint[] = [
  endpoint("GET /pulls", async (call) => {
    const { repository, query, baseUrl } = call;
    await freshen(call);
    const state = query.get("state") ?? "open";
    if (!["open", "closed", "all"].includes(state)) throw invalid("PullRequest", "state");
    const head = query.get("head");
    const base = query.get("base");
    const ascending = query.get("direction") === "asc";
    const field = query.get("sort") === "updated" ? "updatedAt" : "createdAt";
    const chosen = repository.record.pulls
      .filter((pull) => state === "all" || pull.state === state)
      .filter((pull) => head === null || !head.includes(":") || pull.head === branchOf(call, head))
      .filter((pull) => base === null || pull.base === base)
      .toSorted((one, other) =>
        one[field] === other[field] ? one.number - other.number : one[field] < other[field] ? -1 : 1,
      );
    const { items, headers } = paginate(
      call,
      ascending ? chosen : chosen.toReversed(),
      `/repos/${repository.fullName}/pulls`,
    );
    const defaultBranch = await repository.defaultBranch();
    return { status: 200, headers, body: items.map((pull) => presentPull(baseUrl, repository, pull, defaultBranch)) };
  }),

  endpoint("POST /pulls", async (call) => {
    const body = parseBody(openBody, call.body);
    const { repository, now } = call;
    const { record, git } = repository;
    await repository.refresh();
    const head = branchOf(call, body.head);
    const [headCommit, baseCommit] = await Promise.all([git.branch(head), git.branch(body.base)]);
    if (baseCommit === null) throw invalid("PullRequest", "base");
    if (headCommit === null) throw invalid("PullRequest", "head");
    if (record.pulls.some((pull) => pull.state === "open" && pull.head === head && pull.base === body.base)) {
      throw refuse("PullRequest", `A pull request already exists for ${record.owner}:${head}.`);
    }
    const ends = { headSha: headCommit.sha, baseSha: baseCommit.sha };
    if ((await repository.compare(ends)).commits.length === 0)
      throw refuse("PullRequest", `No commits between ${body.base} and ${head}`);
    if (body.title.trim() === "")
      throw new Refusal(422, "Validation Failed", [{ resource: "PullRequest", field: "title", code: "missing_field" }]);
    const pull: PullRecord = {
      id: repository.nextId(),
      number: record.nextNumber++,
      title: body.title,
      body: body.body ?? null,
      state: "open",
      draft: body.draft ?? false,
      head,
      base: body.base,
      ...ends,
      login: call.caller.login,
      createdAt: now,
      updatedAt: now,
      closedAt: null,
      merged: null,
      merging: null,
    };
    record.pulls.push(pull);
    record.updatedAt = now;
    await repository.save();
    await repository.deliver([head]);
    return { status: 201, body: await whole(call, pull) };
  }),

  endpoint("GET /pulls/{pull_number}", async (call) => {
    await freshen(call);
    return { status: 200, body: await whole(call, find(call)) };
  }),

  endpoint("PATCH /pulls/{pull_number}", async (call) => {
    const body = parseBody(changeBody, call.body);
    const { repository, now } = call;
    const pull = find(call);
    if (body.base !== undefined) {
      const base = await repository.git.branch(body.base);
      if (base === null || pull.state === "closed") throw invalid("PullRequest", "base");
      pull.base = body.base;
      pull.baseSha = base.sha;
    }
    if (body.title !== undefined) pull.title = body.title;
    if (body.body !== undefined) pull.body = body.body;
    if (body.state === "closed" && pull.state === "open") Object.assign(pull, { state: "closed", closedAt: now });
    if (body.state === "open" && pull.state === "closed") {
      const isThere = (await repository.git.branch(pull.head)) !== null;
      if (pull.merged !== null || !isThere)
        throw refuse("PullRequest", "state cannot be changed. The pull request cannot be reopened.");
      Object.assign(pull, { state: "open", closedAt: null });
    }
    pull.updatedAt = now;
    await repository.settlePulls(now);
    await repository.save();
    return { status: 200, body: await whole(call, pull) };
  }),

  endpoint("GET /pulls/{pull_number}/files", async (call) => {
    const { repository, baseUrl } = call;
    await freshen(call);
    const pull = find(call);
    const { files } = await repository.compare(pull);
    const shown = files.slice(0, MAX_FILES);
    const { items, headers } = paginate(call, shown, `/repos/${repository.fullName}/pulls/${pull.number}/files`);
    const from = await forkPoint(repository.git, pull.baseSha, pull.headSha);
    const texts = items.length === 0 ? [] : await patches(repository.git, from, pull.headSha, files);
    const body = items.map((file) =>
      presentFile(baseUrl, repository, file, texts[files.indexOf(file)] ?? null, pull.headSha),
    );
    return { status: 200, headers, body };
  }),

  endpoint("PUT /pulls/{pull_number}/merge", async (call) => {
    const body = parseBody(mergeBody, call.body ?? {});
    const { repository, now, caller } = call;
    await repository.refresh();
    await repository.settlePulls(now);
    const pull = find(call);
    if (pull.state === "closed" || pull.draft)
      throw new Refusal(405, pull.draft ? "Pull Request is still a draft" : "Pull Request is not mergeable");
    if (body.sha !== undefined && body.sha !== pull.headSha)
      throw new Refusal(409, "Head branch was modified. Review and try the merge again.");
    const sha = await writeMerge(repository, pull, {
      method: body.merge_method ?? "merge",
      title: body.commit_title ?? null,
      message: body.commit_message ?? null,
      login: caller.login,
      now,
    });
    if (sha === null) throw new Refusal(405, "Pull Request is not mergeable");
    // Noted first: if this ends here, the next look at the base tells whether it was moved.
    pull.merging = { sha, by: caller.login };
    await repository.save();
    if (!(await repository.git.moveRef(`refs/heads/${pull.base}`, sha, pull.baseSha))) {
      pull.merging = null;
      await repository.save();
      throw new Refusal(409, "Base branch was modified. Review and try the merge again.");
    }
    repository.closeMerged(pull, { sha, by: caller.login }, now);
    repository.record.updatedAt = now;
    await repository.settlePulls(now);
    await repository.save();
    return { status: 200, body: { sha, merged: true, message: "Pull Request successfully merged" } };
  }),

  endpoint("GET /issues/{issue_number}/comments", async (call) => {
    const { repository, baseUrl } = call;
    const pull = find(call, "issue_number");
    const comments = repository.record.comments.filter((comment) => comment.issue === pull.number);
    const { items, headers } = paginate(call, comments, `/repos/${repository.fullName}/issues/${pull.number}/comments`);
    return { status: 200, headers, body: items.map((comment) => presentComment(baseUrl, repository, comment)) };
  }),

  endpoint("POST /issues/{issue_number}/comments", async (call) => {
    const { body } = parseBody(commentBody, call.body);
    const { repository, now, caller } = call;
    const pull = find(call, "issue_number");
    if (body.trim() === "")
      throw new Refusal(422, "Validation Failed", [{ resource: "IssueComment", field: "body", code: "missing_field" }]);
    const comment = { id: repository.nextId(), issue: pull.number, body, login: caller.login, createdAt: now };
    repository.record.comments.push(comment);
    pull.updatedAt = now;
    await repository.save();
    return { status: 201, body: presentComment(call.baseUrl, repository, comment) };
  }),
];
