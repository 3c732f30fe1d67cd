import { forkPoint, patches } from "./comparison.ts";
import { renderDiff } from "./diff-page.ts";
import { toIso } from "./git-repository.ts";
import type { HostedRepository } from "./hosted-repository.ts";
import { Html, html } from "./html.ts";
import { markdown } from "./markdown.ts";
import type { PullRecord } from "./records.ts";
import type { Repositories } from "./repositories.ts";
import { runsOf, statusesOf } from "./routes-checks.ts";
import { STYLE } from "./style.ts";

export type Page = { status: number; html: string };

/** The page at a path: `/`, `/{owner}/{repo}` or `/{owner}/{repo}/pull/{n}`. Needs no script and no other file. */
export async function renderPage(
  path: string,
  repositories: Repositories,
  baseUrl: string,
  now: string,
): Promise<Page> {
  if (path === "/") return page(200, "Repositories", null, home(repositories.list(), baseUrl));
  const [, owner = "", name = "", kind, number] = path.split("/");
  const repository = repositories.find(owner, name);
  if (repository !== undefined && (kind === undefined || kind === "" || (kind === "pulls" && number === undefined))) {
    await freshen(repository, now);
    return page(200, repository.fullName, repository, await repositoryPage(repository));
  }
  const pull = kind === "pull" ? repository?.record.pulls.find((one) => String(one.number) === number) : undefined;
  if (repository === undefined || pull === undefined) {
    return page(
      404,
      "Not found",
      null,
      html`<h1>Nothing here</h1>
        <p><a href="/">All repositories</a></p>`,
    );
  }
  await freshen(repository, now);
  return page(200, `${pull.title} · #${pull.number}`, repository, await pullPage(repository, pull));
}

function freshen(repository: HostedRepository, now: string): Promise<void> {
  return repository.exclusively(async () => {
    await repository.refresh();
    await repository.settlePulls(now);
  });
}

function page(status: number, title: string, repository: HostedRepository | null, content: Html): Page {
  const whole = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${STYLE_TAG}
        </style>
      </head>
      <body>
        <header>
          <a class="mark" href="/">Emulated GitHub</a>
          ${repository === null ? null : html`<span class="soft">/</span> <a href="/${repository.fullName}">${repository.fullName}</a>`}
          <span class="note">On this machine only</span>
        </header>
        <main>${content}</main>
      </body>
    </html>`;
  return { status, html: whole.text };
}

// The style is ours: nothing in it needs escaping.
const STYLE_TAG = new Html(STYLE);

function stateOf(pull: PullRecord): { name: string; label: string } {
  if (pull.merged !== null) return { name: "merged", label: "Merged" };
  if (pull.state === "closed") return { name: "closed", label: "Closed" };
  return pull.draft ? { name: "draft", label: "Draft" } : { name: "open", label: "Open" };
}

function pullRow(repository: HostedRepository, pull: PullRecord): Html {
  const state = stateOf(pull);
  return html`<div class="row">
    <span class="badge ${state.name}">${state.label}</span>
    <a class="title" href="/${repository.fullName}/pull/${pull.number}">${pull.title}</a>
    <span class="soft">#${pull.number} by ${pull.login}</span>
    <span class="right soft mono">${pull.head}</span>
  </div>`;
}

function pullList(repository: HostedRepository): Html {
  const pulls = repository.record.pulls.toReversed();
  if (pulls.length === 0)
    return html`<div class="body soft">No pull requests yet. Ask CodeSpar for a change, and it appears here.</div>`;
  return html`${pulls.map((pull) => pullRow(repository, pull))}`;
}

function home(repositories: readonly HostedRepository[], baseUrl: string): Html {
  const boxes = repositories.map(
    (repository) =>
      html`<section class="box">
        <div class="head">
          <a href="/${repository.fullName}"><strong>${repository.fullName}</strong></a>
          ${repository.record.source.kind === "mirror" ? html`<span class="soft">mirror of ${repository.record.source.path}</span>` : null}
        </div>
        ${pullList(repository)}
      </section>`,
  );
  return html`<h1>Repositories</h1>
    <p class="sub">A stand-in for GitHub over real git, with its REST API at ${baseUrl}.</p>
    ${boxes.length > 0 ? boxes : html`<p class="soft">None yet.</p>`}`;
}

async function repositoryPage(repository: HostedRepository): Promise<Html> {
  const { source } = repository.record;
  const [branch, refs] = [await repository.defaultBranch(), await repository.git.refs("refs/heads")];
  const branches = [...refs].map(
    ([ref, sha]) =>
      html`<div class="row">
        <span class="mono">${ref.slice("refs/heads/".length)}</span
        ><span class="right mono soft">${sha.slice(0, 10)}</span>
      </div>`,
  );
  return html`<h1>${repository.fullName}</h1>
    <p class="sub">
      Default branch
      <code>${branch}</code> ${source.kind === "mirror" ? html`· follows <code>${source.path}</code>` : null}
    </p>
    <h2>Pull requests</h2>
    <section class="box">${pullList(repository)}</section>
    <h2>Branches</h2>
    <section class="box">
      ${branches.length > 0 ? branches : html`<div class="body soft">No commits yet.</div>`}
    </section>`;
}

function takeBranch(repository: HostedRepository, pull: PullRecord): Html | null {
  if (!repository.isMirror || !pull.head.startsWith("codespar/")) return null;
  return html`<section class="box take">
    <div class="body">
      The branch is in your repository already; nothing you have checked out was touched. To take it:
      <pre>git merge ${pull.head}</pre>
    </div>
  </section>`;
}

function checksBox(repository: HostedRepository, sha: string): Html | null {
  const { checkRuns, statuses } = repository.record;
  const items = [
    ...runsOf(checkRuns, sha).map((run) => ({
      name: run.name,
      text: run.conclusion ?? run.status,
      state:
        run.status !== "completed"
          ? "pending"
          : ["success", "neutral", "skipped"].includes(run.conclusion ?? "")
            ? "passed"
            : "failed",
    })),
    ...statusesOf(statuses, sha).map((status) => ({
      name: status.context,
      text: status.description ?? status.state,
      state: status.state === "success" ? "passed" : status.state === "pending" ? "pending" : "failed",
    })),
  ];
  if (items.length === 0) return null;
  return html`<h2>Checks</h2>
    <section class="box">
      ${items.map(({ name, text, state }) => html`<div class="row"><span class="dot ${state}"></span><strong>${name}</strong><span class="soft">${text}</span></div>`)}
    </section>`;
}

async function pullPage(repository: HostedRepository, pull: PullRecord): Promise<Html> {
  const { files, commits } = await repository.compare(pull);
  const from = await forkPoint(repository.git, pull.baseSha, pull.headSha);
  const texts = files.length > 0 ? await patches(repository.git, from, pull.headSha, files) : [];
  const isConflicting = pull.state === "open" && (await repository.mergedTree(pull)) === null;
  const state = stateOf(pull);
  const additions = files.reduce((sum, file) => sum + file.additions, 0);
  const deletions = files.reduce((sum, file) => sum + file.deletions, 0);
  const comments = repository.record.comments.filter((comment) => comment.issue === pull.number);
  return html`<h1>${pull.title} <span class="n">#${pull.number}</span></h1>
    <div class="sub">
      <span class="badge ${state.name}">${state.label}</span>
      <span
        ><strong>${pull.login}</strong> wants to merge <code>${pull.head}</code> into <code>${pull.base}</code></span
      >
      ${isConflicting ? html`<span class="minus">Conflicts with ${pull.base}</span>` : null}
    </div>
    ${takeBranch(repository, pull)}
    <section class="box">
      <div class="head"><strong>${pull.login}</strong> <span class="soft">${pull.createdAt}</span></div>
      <div class="body">${pull.body ? markdown(pull.body) : html`<span class="soft">No description.</span>`}</div>
    </section>
    ${comments.map(
      (comment) =>
        html`<section class="box" id="comment-${comment.id}">
          <div class="head"><strong>${comment.login}</strong> <span class="soft">${comment.createdAt}</span></div>
          <div class="body">${markdown(comment.body)}</div>
        </section>`,
    )}
    ${checksBox(repository, pull.headSha)}
    <h2>Commits</h2>
    <section class="box">
      ${commits.map(
        (commit) =>
          html`<div class="row">
            <span class="title">${commit.message.split("\n")[0]}</span
            ><span class="soft">${commit.author.name}, ${toIso(commit.author.date)}</span>
            <span class="right mono soft">${commit.sha.slice(0, 10)}</span>
          </div>`,
      )}
    </section>
    <h2>
      ${files.length} ${files.length === 1 ? "file" : "files"} changed <span class="plus">+${additions}</span>
      <span class="minus">−${deletions}</span>
    </h2>
    ${renderDiff(files, texts)}`;
}
