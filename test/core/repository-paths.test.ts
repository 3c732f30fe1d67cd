import { describe, expect, it, test } from "vitest";
import { refuseOfPath } from "#core/repository-paths.ts";

describe("a path in a repository", () => {
  test.each([
    "a",
    "README.md",
    "src/deep/er/file.test.ts",
    ".gitignore",
    ".github/workflows/ci.yml",
    ".gitmodules",
    ".codespar/config.json",
    "docs/über uns.md",
    "app/[id]/page.tsx",
    "a..b/c...d",
    "x.git/config",
    `${"a".repeat(200)}/${"b".repeat(199)}`,
  ])("may be %s", (path) => {
    expect(refuseOfPath(path)).toBeNull();
  });

  test.each<[string, string]>([
    ["", "empty"],
    ["/etc/passwd", "absolute"],
    ["C:/windows/x", "absolute"],
    ["c:x", "absolute"],
    ["../x", ".."],
    ["a/../../x", ".."],
    ["a/./b", ". or .."],
    ["..", ".."],
    ["a//b", "names no file"],
    ["a/", "names no file"],
    ["a\\b", "backslash"],
    ["..\\x", "backslash"],
    ["a\0b", "control character"],
    ["a\nb", "control character"],
    ["a\u202egnp.ts", "control character"],
    ["a\ud800", "half a character"],
    [".git", ".git"],
    [".git/config", ".git"],
    ["sub/.git/hooks/pre-commit", ".git"],
    [".GIT/config", ".git"],
    [".git./config", ".git"],
    [".git /config", ".git"],
    [".git::$INDEX_ALLOCATION/config", ".git"],
    ["git~1/config", ".git"],
    [".g\u200cit/config", ".git"],
    ["a".repeat(256), "255"],
    [`${"a".repeat(200)}/${"b".repeat(200)}`, "400"],
  ])("may not be %j", (path, reason) => {
    expect(refuseOfPath(path)).toContain(reason);
  });

  it("is judged at once, however long it is", () => {
    expect(refuseOfPath("../".repeat(1_000_000))).toContain("400");
  });
});
