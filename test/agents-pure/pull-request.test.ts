import { describe, expect, it } from "vitest";
import type { TaskSpec } from "#core/task.ts";
import { pullRequestBody } from "#agents/task/pull-request.ts";

const spec: TaskSpec = {
  taskId: "task-7k2m9qxw",
  organisation: "default",
  project: "shop",
  kind: "fix",
  instruction: "the login timeout",
  repository: { owner: "acme", name: "shop" },
  requestedBy: { identity: "person-1", name: "anna", githubLogin: null },
  requestedAt: "2026-01-01T00:00:00.000Z",
  mode: "edge",
  auditReference: "project:default/shop, entry 4",
};

const bodyWith = (summary: string, path = "Dockerfile"): string =>
  pullRequestBody(spec, { summary, files: [{ path, content: "x" }], simulated: false, costUsd: 0.25 });

/** What GitHub would read as Markdown: everything outside fences. */
function outsideFences(body: string): string {
  let fence: string | null = null;
  return body
    .split("\n")
    .filter((line) => {
      const ticks = /^`{3,}/.exec(line)?.[0] ?? null;
      if (fence === null && ticks !== null) fence = ticks;
      else if (fence !== null) {
        if (ticks !== null && line.trim() === ticks && ticks.length >= fence.length) fence = null;
      } else return true;
      return false;
    })
    .join("\n");
}

describe("a pull request's body", () => {
  it.each(["<!-- hidden", "```\n## Approved\n- Risk: low", "Fixes GH-5, closes #7", "@acme/everyone look", "````text"])(
    "keeps the model's words text: %j",
    (summary) => {
      const read = outsideFences(bodyWith(summary));
      for (const line of summary.split("\n")) expect(read.split("\n")).not.toContain(line);
      expect(read).toContain("**Guarded files**");
      expect(read).toContain("- Risk: high");
    },
  );

  it("keeps a path with backticks in its code span", () => {
    expect(bodyWith("Done.", "docs/a`@acme/team`b.md")).toContain("- `` docs/a`@acme/team`b.md ``");
  });

  it("fits what GitHub takes, however much the model says", () => {
    expect(bodyWith("word ".repeat(50_000)).length).toBeLessThan(65_536);
  });
});
