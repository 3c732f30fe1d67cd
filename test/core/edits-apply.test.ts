import { describe, expect, it, test } from "vitest";
import { applyBlocks, type KnownFile, pathsToRead } from "#core/edits-apply.ts";
import { writeContent, writeDelete, writeEdits } from "#core/edits-markers.ts";
import { parseReply } from "#core/edits.ts";

const file = (text: string | null, more: Partial<KnownFile> = {}): KnownFile => ({
  text,
  truncated: false,
  mode: "100644",
  ...more,
});

/** What a reply makes of files. */
const apply = (reply: string, files: Record<string, string | KnownFile>, tree?: readonly string[]) => {
  const known = Object.entries(files).map(([path, value]) => [path, typeof value === "string" ? file(value) : value]);
  return applyBlocks(
    parseReply(reply).blocks,
    new Map(known as [string, KnownFile][]),
    ...(tree ? [new Set(tree)] : []),
  );
};
const edit = (search: string, replace: string): string => writeEdits("a", [{ search, replace }]);
const changed = (content: string | null, mode = "100644") => ({ ok: true, changes: [{ path: "a", content, mode }] });
const problem = (kind: string, path = "a") => ({ ok: false, problems: [expect.objectContaining({ kind, path })] });

describe("an edit", () => {
  test.each([
    ["replaces lines", "1\n2\n3\n", "2\n", "two\nzwei\n", "1\ntwo\nzwei\n3\n"],
    ["deletes lines", "1\n2\n3\n", "2\n", "", "1\n3\n"],
    ["leaves a blank line", "1\n2\n3\n", "2\n", "\n", "1\n\n3\n"],
    ["replaces the first line", "1\n2\n", "1\n", "one\n", "one\n2\n"],
    ["replaces the last line, and no line end is added", "1\n2", "2\n", "two\n", "1\ntwo"],
    ["deletes the last line, which had no end", "1\n2", "2\n", "", "1"],
    ["replaces everything", "1\n", "1\n", "", ""],
    ["takes a whole line before a part of another", "  foo\nfoo\n", "foo\n", "bar\n", "  foo\nbar\n"],
    [
      "replaces a part of a line where no whole line fits",
      "const a = f(1);\n",
      "f(1)\n",
      "f(2)\n",
      "const a = f(2);\n",
    ],
    ["deletes a part of a line", "a(b, c);\n", ", c\n", "", "a(b);\n"],
    ["knows no patterns", "a.b\naxb\n", "a.b\n", "$&\n", "$&\naxb\n"],
  ])("%s", (_, before, search, replace, after) => {
    expect(apply(edit(search, replace), { a: before })).toEqual(changed(after));
  });

  it("works on the result of the one before, in one block or in two", () => {
    const steps = [
      { search: "1\n", replace: "2\n" },
      { search: "2\n", replace: "3\n" },
    ];
    expect(apply(writeEdits("a", steps), { a: "1\n" })).toEqual(changed("3\n"));
    expect(apply(steps.map((step) => writeEdits("a", [step])).join(""), { a: "1\n" })).toEqual(changed("3\n"));
  });

  it("that changes nothing is no change", () => {
    expect(apply(edit("1\n", "1\n"), { a: "1\n" })).toEqual({ ok: true, changes: [] });
    expect(apply(writeContent("a", "1\n"), { a: "1\n" })).toEqual({ ok: true, changes: [] });
  });

  it("keeps a file executable", () => {
    expect(apply(edit("1\n", "2\n"), { a: file("1\n", { mode: "100755" }) })).toEqual(changed("2\n", "100755"));
  });

  it("may change a file that was shown in part", () => {
    expect(apply(edit("1\n", "2\n"), { a: file("1\n", { truncated: true }) })).toEqual(changed("2\n"));
  });

  it("with a line of equals signs is read as the file has it", () => {
    const reply = (...all: string[]): string =>
      ["===FILE: a===", "<<<SEARCH", ...all, ">>>REPLACE", "===END==="].join("\n");
    expect(apply(reply("Old", "=======", "New", "======="), { a: "Old\n\ntext\n" })).toEqual(
      changed("New\n=======\n\ntext\n"),
    );
    expect(apply(reply("Old", "=======", "=======", "New"), { a: "Old\n=======\n" })).toEqual(changed("New\n"));
  });
});

describe("the form of a file", () => {
  it("keeps CRLF, whatever the reply has", () => {
    const reply = edit("b\nc\n", "x\ny\nz\n");
    for (const each of [reply, reply.replaceAll("\n", "\r\n")]) {
      expect(apply(each, { a: "a\r\nb\r\nc\r\nd\r\n" })).toEqual(changed("a\r\nx\r\ny\r\nz\r\nd\r\n"));
    }
  });

  it("keeps each line's own ending where they are mixed", () => {
    expect(apply(edit("b\n", "x\ny\n"), { a: "a\r\nb\nc\r\nd\n" })).toEqual(changed("a\r\nx\ny\nc\r\nd\n"));
  });

  it("keeps a byte order mark", () => {
    expect(apply(edit("a\n", "b\n"), { a: "\ufeffa\n" })).toEqual(changed("\ufeffb\n"));
  });

  it("is kept by whole content too", () => {
    expect(apply(writeContent("a", "x\ny\n"), { a: "\ufeffa\r\nb" })).toEqual(changed("\ufeffx\r\ny"));
    expect(apply(writeContent("a", "x\ny\n"), { a: "" })).toEqual(changed("x\ny\n"));
  });
});

describe("a search text", () => {
  it("that is missing is told with the place it was most likely meant for", () => {
    const before = "function f() {\n  const one = 1;\n  return one;\n}\n\nfunction g() {\n  return 2;\n}\n";
    const outcome = apply(edit("  const one = 1\n  return one;\n", "x\n"), { a: before });
    expect(outcome).toMatchObject({
      problems: [
        {
          kind: "missing",
          search: "  const one = 1\n  return one;",
          nearest: { line: 2, text: "  const one = 1;\n  return one;" },
        },
      ],
    });
  });

  it("whose indentation is wrong is missing, and the nearest place has it right", () => {
    expect(apply(edit("if (a) {\n  b();\n", "x\n"), { a: "f() {\n    if (a) {\n      b();\n" })).toMatchObject({
      problems: [{ kind: "missing", nearest: { line: 2, text: "    if (a) {\n      b();" } }],
    });
  });

  it("that shares no line has the line with most of its words as the nearest", () => {
    const outcome = apply(edit("const timeout = retry(5);\n", "x\n"), { a: "a\nlet timeout = retry(7, now);\nb\n" });
    expect(outcome).toMatchObject({ problems: [{ nearest: { line: 2 } }] });
  });

  it("that has nothing in common with the file has no nearest place", () => {
    expect(apply(edit("zzz\n", "x\n"), { a: "a\nb\n" })).toMatchObject({ problems: [{ nearest: null }] });
  });

  it("that fits only within a word is missing", () => {
    expect(apply(edit("port = 80\n", "port = 90\n"), { a: "const port = 8080;\n" })).toMatchObject(problem("missing"));
  });

  test.each([
    ["replacement", "return x;\n", "if (x) {\n  return x;\n}\n"],
    ["search text", "return x;\n}\n", "return y;\n"],
  ])("that fits only within a line is missing where the %s has several lines", (_, search, replace) => {
    const before = "function f() {\n    return x;\n}\n";
    expect(apply(edit(search, replace), { a: before })).toMatchObject(problem("missing"));
  });

  it("that stands there twice is ambiguous, with its lines", () => {
    const outcome = apply(edit("a\n", "b\n"), { a: "a\nx\na\n" });
    expect(outcome).toMatchObject({
      problems: [{ kind: "ambiguous", message: expect.stringContaining("lines 1, 3") }],
    });
  });

  it("that overlaps itself is ambiguous", () => {
    expect(apply(edit("}\n}\n", "x\n"), { a: "}\n}\n}\n" })).toMatchObject(problem("ambiguous"));
  });

  test.each(["", "\n", "  \n\n"])("that is %j is refused", (search) => {
    expect(apply(edit(search, "x\n"), { a: "a\n\nb\n" })).toMatchObject(problem("empty"));
  });

  it("that is empty writes a new file", () => {
    expect(apply(edit("", "x\n"), {})).toEqual(changed("x\n"));
  });
});

describe("a block is refused", () => {
  const link = file("target", { mode: "120000" });
  test.each<[string, string, Record<string, string | KnownFile>, string]>([
    ["edits of a file that does not exist", edit("a\n", "b\n"), {}, "absent"],
    ["deleting a file that does not exist", writeDelete("a"), {}, "absent"],
    ["edits of a binary file", edit("a\n", "b\n"), { a: file(null) }, "binary"],
    ["whole content over a binary file", writeContent("a", "b\n"), { a: file(null) }, "binary"],
    ["deleting a binary file", writeDelete("a"), { a: file(null) }, "binary"],
    ["binary content", writeContent("a", "b\0\n"), {}, "binary"],
    ["a symbolic link", writeContent("a", "b\n"), { a: link }, "link"],
    [
      "whole content over a file that was shown in part",
      writeContent("a", "b\n"),
      { a: file("a\n", { truncated: true }) },
      "truncated",
    ],
    ["whole content twice", writeContent("a", "b\n") + writeContent("a", "c\n"), {}, "repeated"],
    ["whole content and edits", writeContent("a", "b\n") + edit("b\n", "c\n"), {}, "repeated"],
    ["edits and deletion", edit("a\n", "c\n") + writeDelete("a"), { a: "a\n" }, "repeated"],
  ])("%s", (_, reply, files, kind) => {
    expect(apply(reply, files)).toMatchObject(problem(kind));
  });

  it("a file that exists and was not read", () => {
    expect(apply(writeContent("a", "b\n"), {}, ["a"])).toMatchObject(problem("unread"));
  });

  test.each(["/etc/passwd", "../a", ".git/config", "", "a\\b"])("a file at %j", (path) => {
    expect(apply(writeContent(path, "x\n"), {})).toMatchObject(problem("outside", path));
  });

  it("a file where there is a folder, or below a file", () => {
    expect(apply(writeContent("src", "x\n"), {}, ["src/a.ts"])).toMatchObject(problem("folder", "src"));
    expect(apply(writeContent("a/b/c", "x\n"), {}, ["a"])).toMatchObject(problem("folder", "a/b/c"));
    expect(apply(writeContent("a", "x\n") + writeContent("a/b", "x\n"), {})).toMatchObject(problem("folder", "a/b"));
  });

  it("not when what is in its way is deleted", () => {
    expect(apply(writeDelete("a") + writeContent("a/b", "x\n"), { a: "1\n" })).toMatchObject({ ok: true });
  });

  it("together with all others: every problem is told and nothing is changed", () => {
    const reply =
      writeEdits("a", [
        { search: "zzz\n", replace: "" },
        { search: "1\n", replace: "2\n" },
        { search: "yyy\n", replace: "" },
      ]) +
      writeContent("b", "x\n") +
      writeDelete("c");
    const outcome = apply(reply, { a: "1\n" });
    expect(outcome).toMatchObject({ ok: false, problems: [{ path: "a" }, { path: "a" }, { path: "c" }] });
  });
});

describe("what has to be read first", () => {
  it("is every file a block touches that exists, once", () => {
    const { blocks } = parseReply(
      edit("a\n", "b\n") + edit("c\n", "d\n") + writeContent("new", "x\n") + writeDelete("old"),
    );
    expect(pathsToRead(blocks, new Set(["a", "old", "other"]))).toEqual(["a", "old"]);
  });
});
