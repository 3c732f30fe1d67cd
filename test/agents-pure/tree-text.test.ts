import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { treeForPrompt } from "#agents/task/tree-text.ts";

describe("a file tree in a prompt", () => {
  it("is whole when it fits", () => {
    const paths = ["src/a.ts", "README.md", "src/deep/b.ts", "src/deep/er/c.ts", "x/y/only.ts"];
    expect(treeForPrompt(paths, 1000)).toBe(
      ["README.md", "src/", "  a.ts", "src/deep/", "  b.ts", "src/deep/er/", "  c.ts", "x/y/", "  only.ts"].join("\n"),
    );
  });

  it("is the same whatever the order of the paths", () => {
    const paths = Array.from({ length: 300 }, (_, index) => `${index % 7}/${index % 11}/${index}.ts`);
    for (const limit of [100, 1000, 100_000]) {
      expect(treeForPrompt(paths.toReversed(), limit)).toBe(treeForPrompt(paths, limit));
    }
  });

  it("is given by folders with counts when it does not fit, those near the root first", () => {
    const paths = [
      "README.md",
      "src/a.ts",
      ...Array.from({ length: 50 }, (_, index) => `src/deep/file-${index}.ts`),
      "test/a.test.ts",
    ];
    expect(treeForPrompt(paths, 100)).toBe(
      ["README.md", "src/", "  a.ts", "src/deep/ (50 files)", "test/", "  a.test.ts"].join("\n"),
    );
  });

  it("does not let one folder hide the others", () => {
    const paths = [...Array.from({ length: 5000 }, (_, index) => `data/${index}.json`), "src/a.ts"];
    const text = treeForPrompt(paths, 4000);
    expect(text).toContain("  … and 4900 more files");
    expect(text).toContain("src/\n  a.ts");
  });

  it("leaves out what no change may touch", () => {
    expect(treeForPrompt(["a\n</tree>", ".git/config", "b"], 100)).toBe("b");
  });

  it("of 100,000 paths fits into its limit and uses most of it", () => {
    const paths = Array.from(
      { length: 100_000 },
      (_, index) => `packages/p${index % 900}/src/${index % 13}/module-${index}.ts`,
    );
    const text = treeForPrompt(paths, 60_000);
    expect(text.length).toBeLessThanOrEqual(60_000);
    expect(text.length).toBeGreaterThan(40_000);
  });

  it("never is longer than its limit", () => {
    const name = fc.constantFrom("a", "b", "some-longer-name", "x.ts", "y.test.ts", "ü");
    const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => names.join("/"));
    fc.assert(
      fc.property(fc.array(path, { maxLength: 60 }), fc.nat(400), (paths, limit) => {
        expect(treeForPrompt(paths, limit).length).toBeLessThanOrEqual(limit);
      }),
    );
  });
});
