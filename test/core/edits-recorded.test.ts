import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { applyBlocks } from "#core/edits-apply.ts";
import { writeContent } from "#core/edits-markers.ts";
import { parseReply } from "#core/edits.ts";

/** Edits of this project's own history: a file before and after, and a reply made from the diff that leads from one to the other. */
const folder = new URL("../fixtures/edits/", import.meta.url);
const names = readdirSync(folder);
const read = (name: string, file: string): string => readFileSync(new URL(`${name}/${file}.txt`, folder), "utf8");

const apply = (reply: string, before: string) => {
  const { blocks } = parseReply(reply);
  const files = blocks.map(({ path }) => [path, { text: before, truncated: false, mode: "100644" }] as const);
  return applyBlocks(blocks, new Map(files));
};

describe("a recorded edit", () => {
  it("is one of ten, of a file of 60 to 300 lines", () => {
    const lengths = names.map((name) => read(name, "before").split("\n").length - 1);
    expect(lengths).toHaveLength(10);
    expect(lengths.every((length) => length >= 60 && length <= 300)).toBe(true);
  });

  test.each(names)("applies: %s", (name) => {
    const content = read(name, "after");
    expect(apply(read(name, "reply"), read(name, "before"))).toMatchObject({ ok: true, changes: [{ content }] });
  });

  test.each(names)("applies to a file with CRLF: %s", (name) => {
    const crlf = (file: string): string => read(name, file).replaceAll("\n", "\r\n");
    expect(apply(read(name, "reply"), crlf("before"))).toMatchObject({
      ok: true,
      changes: [{ content: crlf("after") }],
    });
  });

  test.each(names)("is the same as the whole file: %s", (name) => {
    const content = read(name, "after");
    expect(apply(writeContent("a.ts", content), read(name, "before"))).toMatchObject({ changes: [{ content }] });
  });

  test.each(names)("is refused a second time, where it is not there any more: %s", (name) => {
    expect(apply(read(name, "reply"), read(name, "after"))).toMatchObject({ ok: false });
  });
});
