import { describe, expect, test } from "vitest";
import { plainLine, plainText, renderBlocks, renderProgress, styleOf } from "#cli/render.ts";

const plain = { colour: false };
const coloured = { colour: true };

describe("what a reply could drive the terminal with is taken out", () => {
  test.each([
    ["colours", "a\u001b[31mb\u001b[0mc", "abc"],
    ["cursor movements and clearing", "a\u001b[2J\u001b[1;1Hb", "ab"],
    ["private modes", "\u001b[?1049ha", "a"],
    ["a window title", "\u001b]0;title\u0007a", "a"],
    ["a hyperlink", "\u001b]8;;http://evil\u001b\\good\u001b]8;;\u001b\\", "good"],
    ["the clipboard (OSC 52)", "\u001b]52;c;cm0gLXJm\u0007a", "a"],
    ["device control strings", '\u001bP$q"p\u001b\\a', "a"],
    ["an unfinished sequence", "a\u001b[31", "a31"],
    ["a lone escape", "a\u001b", "a"],
    ["one-byte control sequences", "a\u009b31mb\u009d0;x\u009cc", "abc"],
    ["a reset", "\u001bca", "a"],
    ["a character set switch", "\u001b(0a", "a"],
    ["backspaces and bells", "ab\u0008\u0007c", "abc"],
    ["bidirectional overrides", "a\u202eb\u2066c", "abc"],
    ["zero-width characters", "a\u200bb\ufeff", "ab"],
  ])("%s", (_, given, shown) => {
    const result = plainText(given);
    // eslint-disable-next-line no-control-regex -- that none is left is the point
    expect(result).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    expect(result).toBe(shown);
  });

  test("also in every kind of block", () => {
    const evil = "x\u001b[2Jy";
    const shown = renderBlocks(
      [
        { type: "text", text: evil },
        { type: "fields", fields: [{ label: evil, value: evil }] },
        { type: "code", code: evil, language: evil },
        { type: "diff", diff: evil },
        { type: "link", url: evil, label: evil },
        { type: "image", url: evil, alt: evil },
        { type: "actions", actions: [{ name: evil, label: evil, value: evil, style: "plain" }] },
      ],
      plain,
    );
    expect(shown).not.toContain("\u001b");
  });
});

test("keeps line breaks, tabs and other languages", () => {
  expect(plainText("a\tb\r\nзд 好 👩‍💻é\rx")).toBe("a\tb\nзд 好 👩‍💻é\nx");
});

test("makes one line of several", () => {
  expect(plainLine(" a\n\n  b\tc ")).toBe("a b c");
  expect(
    renderProgress([
      { type: "text", text: "Reading\nfiles" },
      { type: "text", text: "3 of 5" },
    ]),
  ).toBe("Reading files 3 of 5");
});

test("aligns fields, and lines that follow in a value", () => {
  const block = {
    type: "fields" as const,
    fields: [
      { label: "Pull request", value: "#1" },
      { label: "Files", value: "a\nb" },
    ],
  };
  expect(renderBlocks([block], plain)).toBe("Pull request  #1\nFiles         a\n              b");
});

test("says what to type for a button", () => {
  const actions = [{ name: "approve", label: "Approve", value: "approve dp-7k2m9qxw", style: "primary" as const }];
  expect(renderBlocks([{ type: "actions", actions }], plain)).toBe("Approve: type approve dp-7k2m9qxw");
});

test("colours a diff, but only where colour is wanted", () => {
  const diff = { type: "diff" as const, diff: "+new\n-old" };
  expect(renderBlocks([diff], plain)).toBe("  +new\n  -old");
  expect(renderBlocks([diff], coloured)).toBe("  \u001b[32m+new\u001b[0m\n  \u001b[31m-old\u001b[0m");
});

test("wants colour only on a terminal, without NO_COLOR, and not on a dumb one", () => {
  expect(styleOf({ isTTY: true }, {})).toEqual(coloured);
  expect(styleOf({}, {})).toEqual(plain);
  expect(styleOf({ isTTY: true }, { NO_COLOR: "1" })).toEqual(plain);
  expect(styleOf({ isTTY: true }, { TERM: "dumb" })).toEqual(plain);
});
