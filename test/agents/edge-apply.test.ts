import { describe, expect, it, test } from "vitest";
import { apply, mended } from "#agents/task/edge-apply.ts";
import type { EdgeSetup } from "#agents/task/edge.ts";
import type { EditProblem } from "#core/edits-apply.ts";
import { writeContent } from "#core/edits-markers.ts";
import { parseReply } from "#core/edits.ts";

const A = writeContent("a.ts", "1;\n");
const B = writeContent("b.ts", "2;\n");
const C = writeContent("c.ts", "3;\n");
const STRAY = "<<<SEARCH\nx\n=======\ny\n>>>REPLACE\n";
const cut = (block: string): string => block.slice(0, block.indexOf("===END==="));

const missing = (path: string): EditProblem => ({
  path,
  kind: "missing",
  search: "x",
  nearest: null,
  message: "It is not there.",
});
const mend = (first: string, second: string, problems: EditProblem[] = []) =>
  mended(parseReply(first), problems, parseReply(second));
const paths = (outcome: ReturnType<typeof mended>): string[] | string =>
  outcome.ok ? outcome.reply.blocks.map(({ path }) => path) : outcome.missing;

describe("a repair of an answer that was cut", () => {
  it("has to bring the block that was left unfinished", () => {
    expect(paths(mend(A + cut(B), C))).toBe("b.ts: The answer ended in the middle of a file.");
    expect(paths(mend(A + cut(B), B))).toEqual(["a.ts", "b.ts"]);
  });

  it("has to bring it along with what else failed", () => {
    expect(paths(mend(A + cut(B), A, [missing("a.ts")]))).toContain("b.ts");
    expect(paths(mend(A + cut(B), A + B, [missing("a.ts")]))).toEqual(["a.ts", "b.ts"]);
  });

  it("before its path was read has to bring another block", () => {
    expect(paths(mend(`${A}===FILE: b`, "That was all."))).toContain("ended in the middle");
    expect(paths(mend(`${A}===FILE: b`, B))).toEqual(["a.ts", "b.ts"]);
  });
});

describe("a repair of an answer with an edit that names no file", () => {
  it("has to bring a block besides those that failed", () => {
    expect(paths(mend(A + STRAY, A, [missing("a.ts")]))).toContain("outside");
    expect(paths(mend(A + STRAY, A + B, [missing("a.ts")]))).toEqual(["a.ts", "b.ts"]);
  });

  it("may send the complete file once more that the edit was for", () => {
    expect(paths(mend(A + STRAY, A))).toEqual(["a.ts"]);
  });

  test.each([
    ["is cut", B + cut(C)],
    ["has such an edit again", B + STRAY],
  ])("fails where it %s itself", (_, second) => {
    expect(mend(A + STRAY, second)).toMatchObject({ ok: false });
  });
});

describe("the size of a change", () => {
  const setup = {
    spec: { repository: { owner: "acme", name: "shop" } },
    base: { commitSha: "c", treeSha: "t" },
    github: {
      tree: async () => ({ entries: [{ path: "old.ts", type: "blob", mode: "100644" }], truncated: false }),
      file: async () => ({ text: "1;\n" }),
    },
  } as unknown as EdgeSetup;
  const applied = (content: string) => apply(setup, [], parseReply(writeContent("new.txt", `${content}\n`)));

  test.each([
    ["is escaped in JSON", '"'.repeat(460_000)],
    ["takes two bytes a character, for one that is not Latin", `${"a".repeat(460_000)}中`],
  ])("counts what it takes in a step's result: where it %s", async (_, content) => {
    await expect(applied(content)).rejects.toThrow("Ask for less at a time.");
  });

  it("may be nearly all that a step's result can hold", async () => {
    expect(await applied("a".repeat(880_000))).toMatchObject({ kind: "changed" });
  });
});
