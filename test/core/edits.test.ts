import { describe, expect, it, test } from "vitest";
import { writeContent, writeEdits } from "#core/edits-markers.ts";
import { type Block, parseReply, withRepairs } from "#core/edits.ts";

const lines = (...all: string[]): string => all.join("\n");
const edits = (path: string, search: string, replace: string, line = 2): Block => ({
  kind: "edits",
  path,
  edits: [{ line, readings: [{ search, replace }] }],
});
const content = (path: string, text: string): Block => ({ kind: "content", path, content: text });

describe("a reply", () => {
  it("is a summary, files and edits", () => {
    const reply = parseReply(
      lines(
        "Reads the timeout from the configuration.",
        "",
        "===FILE: src/a.ts===",
        "<<<SEARCH",
        "old",
        "  text",
        "=======",
        "new",
        ">>>REPLACE",
        "",
        "<<<SEARCH",
        "gone",
        "=======",
        ">>>REPLACE",
        "===END===",
        "===FILE: src/b.ts===",
        "export {};",
        "",
        "===END===",
        "===DELETE: src/c.ts===",
        "Look at the default.",
      ),
    );
    expect(reply).toEqual({
      summary: "Reads the timeout from the configuration.\n\nLook at the default.",
      blocks: [
        {
          kind: "edits",
          path: "src/a.ts",
          edits: [
            { line: 4, readings: [{ search: "old\n  text\n", replace: "new\n" }] },
            { line: 11, readings: [{ search: "gone\n", replace: "" }] },
          ],
        },
        content("src/b.ts", "export {};\n\n"),
        { kind: "delete", path: "src/c.ts" },
      ],
      incomplete: false,
      openPath: null,
      problems: [],
    });
  });

  it("without any block is only its summary", () => {
    expect(parseReply("It already does.\n")).toEqual({
      summary: "It already does.",
      blocks: [],
      incomplete: false,
      openPath: null,
      problems: [],
    });
  });

  it("may be written with CRLF", () => {
    const reply = lines("Done.", writeEdits("a.ts", [{ search: "a\nb\n", replace: "c\n" }]));
    expect(parseReply(reply.replaceAll("\n", "\r\n"))).toEqual(parseReply(reply));
  });

  it("may have spaces after its markers", () => {
    const reply = lines("===FILE: a.ts===  ", "<<<SEARCH ", "a", "======= ", "b", ">>>REPLACE\t", "===END=== ");
    expect(parseReply(reply).blocks).toEqual([edits("a.ts", "a\n", "b\n")]);
  });

  it("may use the markers of a merge conflict", () => {
    const reply = lines("===FILE: a.ts===", "<<<<<<< SEARCH", "a", "=======", "b", ">>>>>>> REPLACE", "===END===");
    expect(parseReply(reply).blocks).toEqual([edits("a.ts", "a\n", "b\n")]);
  });

  test.each([
    ["spaces", "===FILE:   src/a b.ts  ===", "src/a b.ts"],
    ["no space", "===FILE:src/a.ts===", "src/a.ts"],
    ["ticks", "===FILE: `src/a.ts`===", "src/a.ts"],
    ["./", "===FILE: ./src/a.ts===", "src/a.ts"],
    ["equals signs", "===FILE: a=b===", "a=b"],
    ["nothing", "===FILE: ===", ""],
  ])("may write a path with %s around it", (_, marker, path) => {
    expect(parseReply(lines(marker, "x", "===END===")).blocks).toEqual([content(path, "x\n")]);
  });

  it("may fence each block", () => {
    const fenced = lines("Text.", "", "```typescript", "===FILE: a.ts===", "x", "===END===", "```", "", "More.");
    expect(parseReply(fenced)).toMatchObject({ summary: "Text.\n\n\nMore.", blocks: [content("a.ts", "x\n")] });
  });

  it("may fence all blocks together", () => {
    const fenced = lines("```", writeContent("a.ts", "x\n"), writeContent("b.ts", "y\n"), "```");
    expect(parseReply(fenced)).toMatchObject({
      summary: "",
      blocks: [content("a.ts", "x\n"), content("b.ts", "y\n")],
    });
  });

  it("may fence what is inside a block", () => {
    const whole = lines("===FILE: a.ts===", "```ts", "x", "```", "===END===");
    const edit = lines("===FILE: a.ts===", "```", "<<<SEARCH", "a", "=======", "b", ">>>REPLACE", "```", "===END===");
    expect(parseReply(whole).blocks).toEqual([content("a.ts", "x\n")]);
    expect(parseReply(edit).blocks).toEqual([edits("a.ts", "a\n", "b\n", 3)]);
  });

  it("keeps the fences of a Markdown file", () => {
    const text = "```sh\nnpm start\n```\n";
    expect(parseReply(writeContent("README.md", text)).blocks).toEqual([content("README.md", text)]);
  });

  it("keeps a fence that belongs to the summary", () => {
    expect(parseReply("Like this:\n\n```ts\nx\n```\n").summary).toBe("Like this:\n\n```ts\nx\n```");
  });
});

describe("a file that has markers in it", () => {
  it("is whole when most of them stand in its content", () => {
    const text = lines("Title", "=======", "<<<SEARCH", ">>>REPLACE", "");
    const reply = lines("===FILE: a.md===", text.trimEnd(), "===END===");
    expect(parseReply(reply).blocks).toEqual([content("a.md", text)]);
  });

  it("keeps indented markers", () => {
    const reply = lines("===FILE: a.ts===", "  ===END===", " <<<SEARCH", "===END===");
    expect(parseReply(reply).blocks).toEqual([content("a.ts", "  ===END===\n <<<SEARCH\n")]);
  });

  it("may have every marker, escaped", () => {
    const text = lines(
      "<<<SEARCH",
      "=======",
      ">>>REPLACE",
      "===END===",
      "===FILE: x===",
      "===DELETE: x===",
      "\\===END===",
      "\\other",
      "",
    );
    expect(parseReply(writeContent("a", text))).toMatchObject({ blocks: [content("a", text)], problems: [] });
    expect(parseReply(writeEdits("a", [{ search: text, replace: text }]))).toMatchObject({
      blocks: [edits("a", text, text)],
      problems: [],
    });
  });

  it("is left to the file where an edit has several separators", () => {
    const reply = lines("===FILE: a===", "<<<SEARCH", "A", "=======", "B", "=======", "C", ">>>REPLACE", "===END===");
    const [block] = parseReply(reply).blocks;
    expect(block?.kind === "edits" && block.edits[0]?.readings).toEqual([
      { search: "A\n", replace: "B\n=======\nC\n" },
      { search: "A\n=======\nB\n", replace: "C\n" },
    ]);
  });
});

describe("a reply that was cut", () => {
  const whole = lines(
    "Text.",
    "===FILE: a.ts===",
    "x",
    "===END===",
    "===FILE: b.ts===",
    "<<<SEARCH",
    "y",
    "=======",
    "z",
    ">>>REPLACE",
    "===END===",
  );

  it("is incomplete inside every block, and keeps those before", () => {
    for (let length = 0; length <= whole.length; length += 1) {
      const { blocks, incomplete, problems } = parseReply(whole.slice(0, length));
      const ends = whole.slice(0, length).split("===END===").length - 1;
      expect(blocks.length, whole.slice(0, length)).toBe(ends);
      expect(problems, whole.slice(0, length)).toEqual([]);
      const inBlock = whole.slice(0, length).split("===FILE:").length - 1 > ends;
      expect(incomplete, whole.slice(0, length)).toBe(inBlock);
    }
  });
});

describe("the open path of a reply", () => {
  test.each([
    ["is that of the whole content it ends in", lines("===FILE: a===", "x"), "a"],
    ["is that of the edits it ends in", lines("===FILE: a===", "<<<SEARCH", "x", "======="), "a"],
    ["is unknown where it ends in a marker", "===FILE: src/lo", null],
    ["is unknown where it ends in an edit outside of blocks", lines("<<<SEARCH", "x"), null],
  ])("%s", (_, text, openPath) => {
    expect(parseReply(text)).toMatchObject({ incomplete: true, openPath });
  });

  it("is none where the reply is complete", () => {
    expect(parseReply(whole("a"))).toMatchObject({ incomplete: false, openPath: null });
  });
});

const whole = (path: string): string => lines(`===FILE: ${path}===`, "x", "===END===");

describe("what is wrong with a reply", () => {
  test.each([
    [
      "a block that another one follows",
      lines("===FILE: a===", "x", "===FILE: b===", "y", "===END==="),
      "unclosed",
      "a",
      ["b"],
    ],
    [
      "an edit without its end",
      lines("===FILE: a===", "<<<SEARCH", "x", "=======", "y", "===END===", "===FILE: b===", "y", "===END==="),
      "unclosed",
      "a",
      ["b"],
    ],
    [
      "an edit in another",
      lines("===FILE: a===", "<<<SEARCH", "x", "<<<SEARCH", "x", "=======", "y", ">>>REPLACE", "===END==="),
      "unclosed",
      "a",
      [],
    ],
    [
      "an edit without a separator",
      lines("===FILE: a===", "<<<SEARCH", "x", ">>>REPLACE", "===END==="),
      "separator",
      "a",
      [],
    ],
    [
      "text between edits",
      lines("===FILE: a===", "<<<SEARCH", "x", "=======", "y", ">>>REPLACE", "rest", ">>>REPLACE", "===END==="),
      "stray",
      "a",
      [],
    ],
    ["an edit outside of blocks", lines("<<<SEARCH", "x", "=======", "y", ">>>REPLACE", "Text."), "stray", null, []],
  ])("is %s", (_, text, kind, path, paths) => {
    const reply = parseReply(text);
    expect(reply.problems[0]).toMatchObject({ kind, path });
    expect(reply.blocks.map((block) => block.path)).toEqual(paths);
    expect(reply.incomplete).toBe(false);
  });

  it("never is the summary's", () => {
    expect(parseReply(lines("<<<SEARCH", "x", "=======", "y", ">>>REPLACE", "Text.")).summary).toBe("Text.");
  });
});

describe("a repair", () => {
  it("replaces all blocks of a file and leaves the others", () => {
    const first = [edits("a", "1\n", "2\n"), content("b", "x\n"), edits("a", "3\n", "4\n")];
    const again = [content("a", "new\n"), content("c", "y\n")];
    expect(withRepairs(first, new Set(["a"]), again)).toEqual([content("b", "x\n"), ...again]);
  });

  it("may put right the very path", () => {
    const first = [content("src/logn.ts", "1\n"), content("b", "x\n")];
    const again = [content("src/login.ts", "1\n")];
    expect(withRepairs(first, new Set(["src/logn.ts"]), again)).toEqual([content("b", "x\n"), ...again]);
  });
});
