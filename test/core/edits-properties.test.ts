import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyBlocks, type KnownFile } from "#core/edits-apply.ts";
import { writeContent, writeDelete, writeEdits } from "#core/edits-markers.ts";
import { type Block, parseReply } from "#core/edits.ts";

const known = (text: string): KnownFile => ({ text, truncated: false, mode: "100644" });
const apply = (reply: string, text: string) => applyBlocks(parseReply(reply).blocks, new Map([["a", known(text)]]));
const changed = (content: string) => ({ ok: true, changes: [{ path: "a", content, mode: "100644" }] });
const edit = (search: string, replace: string): string => writeEdits("a", [{ search, replace }]);
const edits = (path: string, search: string, replace: string): Block => ({
  kind: "edits",
  path,
  edits: [{ line: 0, readings: [{ search, replace }] }],
});
const content = (path: string, text: string): Block => ({ kind: "content", path, content: text });

describe("any reply", () => {
  const piece = fc.constantFrom(
    "===FILE: a.ts===",
    "===FILE: ===",
    "===FILE:",
    "===DELETE: b===",
    "===END===",
    "<<<SEARCH",
    "=======",
    ">>>REPLACE",
    "```",
    "```ts",
    "\\===END===",
    "",
    "x",
  );
  const reply = fc.array(fc.oneof(piece, fc.string({ unit: "binary" }))).map((all) => all.join("\n"));

  it("is read without an error, and no line of it ends in two blocks", () => {
    fc.assert(
      fc.property(reply, (text) => {
        const { blocks, summary } = parseReply(text);
        const read = blocks.flatMap((block) =>
          block.kind === "content"
            ? [block.content]
            : block.kind === "delete"
              ? []
              : block.edits.map(({ readings: [{ search, replace }] }) => search + replace),
        );
        expect(read.join("").length + summary.length).toBeLessThanOrEqual(text.length + read.length);
      }),
      { numRuns: 500 },
    );
  });

  it("is what was written", () => {
    const file = fc
      .array(
        fc.oneof(
          piece,
          fc.string().filter((line) => !/[\r\n]/.test(line)),
        ),
      )
      .map((all) => all.map((line) => `${line}\n`).join(""));
    // A file that a fence surrounds is only kept in Markdown.
    const block = fc.oneof(
      file.map((text) => content("a.md", text)),
      fc.tuple(file, file).map(([search, replace]) => edits("a.ts", search, replace)),
      fc.constant<Block>({ kind: "delete", path: "gone.ts" }),
    );
    fc.assert(
      fc.property(fc.array(block), (blocks) => {
        const text = blocks
          .map((each) =>
            each.kind === "content"
              ? writeContent(each.path, each.content)
              : each.kind === "delete"
                ? writeDelete(each.path)
                : writeEdits(
                    each.path,
                    each.edits.map(({ readings }) => readings[0]),
                  ),
          )
          .join("\n");
        const withoutLines = (all: readonly Block[]): unknown =>
          all.map((each) => (each.kind === "edits" ? each.edits.map(({ readings }) => readings) : each));
        const parsed = parseReply(text);
        expect(withoutLines(parsed.blocks)).toEqual(withoutLines(blocks));
        expect(parsed).toMatchObject({ problems: [], incomplete: false, summary: "" });
      }),
      { numRuns: 500 },
    );
  });
});

describe("any edits of any file", () => {
  const word = fc.constantFrom(
    "",
    "  a();",
    "}",
    "=======",
    "<<<SEARCH",
    "===END===",
    "\\=======",
    "```",
    "b = 1;",
    "é 𝒳",
  );
  const line = fc.oneof(
    word,
    fc.string().map((text) => text.replaceAll(/[\r\n]/g, "")),
  );
  const original = fc.record({
    // A single line does not tell what its file's lines end with.
    lines: fc.array(line, { minLength: 2, maxLength: 30 }),
    ending: fc.constantFrom("\n", "\r\n"),
    last: fc.boolean(),
    bom: fc.boolean(),
  });
  type Original = typeof original extends fc.Arbitrary<infer T> ? T : never;
  const textOf = ({ ending, last, bom }: Original, lines: readonly string[]): string =>
    (bom ? "\ufeff" : "") + lines.join(ending) + (last && lines.length > 0 ? ending : "");

  it("give the edited file, in its own form", () => {
    fc.assert(
      fc.property(original, fc.nat(), fc.nat(8), fc.array(line, { maxLength: 6 }), (form, at, length, inserted) => {
        // Each line is made unique, as an edit's search text has to be.
        const lines = form.lines.map((each, index) => (each.length % 3 === 0 ? `${each} #${index}` : each));
        const start = at % lines.length;
        const cut = lines.slice(start, start + 1 + length);
        const isUnique =
          lines.filter((_, index) => cut.every((each, offset) => lines[index + offset] === each)).length === 1;
        fc.pre(isUnique && cut.join("").trim() !== "" && !form.lines[0]?.startsWith("\ufeff"));
        const result = lines.toSpliced(start, cut.length, ...inserted);
        // A text of blank lines only has no last line to speak of.
        fc.pre(result.join("").trim() !== "" && result.at(-1) !== "" && lines.at(-1) !== "");
        const rows = (all: readonly string[]): string => all.map((each) => `${each}\n`).join("");
        const reply = writeEdits("a", [{ search: rows(cut), replace: rows(inserted) }]);
        const before = textOf(form, lines);
        const after = textOf(form, result);
        const expected = before === after ? { ok: true, changes: [] } : changed(after);
        expect(apply(reply, before)).toEqual(expected);
        expect(apply(reply.replaceAll("\n", "\r\n"), before)).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it("never throw, and change only what they name", () => {
    const marker = fc.constantFrom(
      "===FILE: a===",
      "===FILE: b===",
      "===DELETE: a===",
      "===END===",
      "<<<SEARCH",
      "=======",
      ">>>REPLACE",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(marker, word, fc.string({ unit: "binary" }))), fc.string(), (all, text) => {
        const reply = parseReply(all.join("\n"));
        const outcome = applyBlocks(reply.blocks, new Map([["a", known(text)]]));
        const named = new Set(reply.blocks.map(({ path }) => path));
        const paths = (outcome.ok ? outcome.changes : outcome.problems).map(({ path }) => path);
        expect(paths.every((path) => named.has(path))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it("take no longer than their length asks for", () => {
    const hard: [string, string][] = [
      ["a".repeat(1_000_000), "a".repeat(1000)],
      ["a\n".repeat(500_000), "b\n".repeat(1000)],
      ["}\n".repeat(500_000), "}\n".repeat(1000)],
      ["\r".repeat(1_000_000), "x"],
      ["\r\n".repeat(500_000), "x"],
    ];
    for (const [text, search] of hard) {
      expect(apply(edit(`${search.trimEnd()}\n`, "c\n"), text)).toMatchObject({ ok: false });
    }
  });
});
