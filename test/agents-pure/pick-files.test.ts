import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  chosenPaths,
  namedPaths,
  PickedFiles,
  pickFiles,
  pickMessage,
  readableFiles,
} from "#agents/task/pick-files.ts";

const tree = [
  "app/[id]/page.tsx",
  "Makefile",
  "README.md",
  "docs/index.md",
  "docs/read me.md",
  "login",
  "package-lock.json",
  "src/a/index.ts",
  "src/b/index.ts",
  "src/login.test.ts",
  "src/login.ts",
  "src/session.ts",
];

describe("a file that an instruction names", () => {
  test.each<[string, string[]]>([
    ["fix src/login.ts", ["src/login.ts"]],
    ["fix ./src/login.ts, please", ["src/login.ts"]],
    ["fix /src/login.ts.", ["src/login.ts"]],
    ["`src/login.ts`:", ["src/login.ts"]],
    ["(src/login.ts)", ["src/login.ts"]],
    ["at src/login.ts:12:5 it throws", ["src/login.ts"]],
    ["src/login.ts:12-14", ["src/login.ts"]],
    ["see src/login.ts#L12", ["src/login.ts"]],
    ["https://github.com/acme/shop/blob/main/src/login.ts#L3-L9", ["src/login.ts"]],
    ["https://github.com/acme/shop/blob/main/README.md", ["README.md"]],
    ["https://example.com/README.md", []],
    ["<https://github.com/acme/shop/blob/main/src/login.ts|this>", ["src/login.ts"]],
    ["a/index.ts is wrong", ["src/a/index.ts"]],
    ["login.ts is wrong", ["src/login.ts"]],
    ["session.ts before login.ts", ["src/session.ts", "src/login.ts"]],
    ["src/login.ts and login.ts", ["src/login.ts"]],
    ["index.ts is wrong", []],
    ["other/index.ts is wrong", []],
    ["the login is slow", []],
    ["change app/[id]/page.tsx, please", ["app/[id]/page.tsx"]],
    ["`login` is slow", ["login"]],
    ["the session is slow", []],
    ["the 'session' is slow", ["src/session.ts"]],
    ["“session” and `login.test`", ["src/session.ts"]],
    ['"docs/read me.md" is out of date', ["docs/read me.md"]],
    ["add a target to the Makefile", ["Makefile"]],
    ["package-lock.json is stale", ["package-lock.json"]],
    ["ändere **src/login.ts**", []],
    ["", []],
  ])("in %j is %j", (instruction, expected) => {
    expect(namedPaths(instruction, tree)).toEqual(expected);
  });

  it("is a file of the tree, whatever is written", () => {
    const piece = fc.constantFrom(...tree, "'", "`", " ", "/", ".", ":", "src", "#", "index.ts");
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string())), (pieces) => {
        const named = namedPaths(pieces.join(""), tree);
        expect(named.every((path) => tree.includes(path))).toBe(true);
        expect(new Set(named).size).toBe(named.length);
      }),
    );
  });
});

describe("the files that can be read", () => {
  test.each([
    ["src/a.ts", 10, "100644", true],
    ["src/a.ts", null, "100644", true],
    ["bin/run", 10, "100755", true],
    ["src/link", 10, "120000", false],
    ["vendored", null, "160000", false],
    ["src", null, "040000", false],
    ["a.PNG", 10, "100644", false],
    ["data.sqlite3", 10, "100644", false],
    ["src/a.ts", 512 * 1024 + 1, "100644", false],
    [".git/config", 10, "100644", false],
    ["a\nb", 10, "100644", false],
  ])("has %j of %j bytes with mode %s: %j", (path, size, mode, expected) => {
    expect(readableFiles([{ path, size, mode }])).toEqual(expected ? [path] : []);
  });
});

describe("the small model's choice", () => {
  it("is validated against the tree, each file once and five at most", () => {
    const paths = ["src/login.ts", "./src/session.ts", "src/login.ts", "made/up.ts", "/README.md", ...tree];
    expect(chosenPaths({ paths }, tree)).toEqual([
      "src/login.ts",
      "src/session.ts",
      "README.md",
      "app/[id]/page.tsx",
      "Makefile",
    ]);
  });

  it("may be that no file is needed", () => {
    expect(chosenPaths({ paths: [] }, tree)).toEqual([]);
  });

  it("of nothing but invented files is none", () => {
    expect(chosenPaths({ paths: ["../etc/passwd", "x.ts"] }, tree)).toBeNull();
  });

  it("has a form that refuses anything else", () => {
    expect(PickedFiles.safeParse({ paths: ["a"] }).success).toBe(true);
    expect(PickedFiles.safeParse({ paths: "a" }).success).toBe(false);
    expect(PickedFiles.safeParse(["a"]).success).toBe(false);
  });
});

describe("the files a task is shown", () => {
  const sources = { instruction: "fix the login", paths: tree, chosen: null, searched: null };

  it("are those the instruction names, then those the small model chose", () => {
    const picked = pickFiles({ ...sources, instruction: "fix session.ts", chosen: ["src/login.ts", "src/session.ts"] });
    expect(picked).toEqual(["src/session.ts", "src/login.ts"]);
  });

  it("are only those it chose, even if it chose none", () => {
    expect(pickFiles({ ...sources, chosen: [], searched: ["README.md"] })).toEqual([]);
  });

  it("come from code search when it could not be asked", () => {
    expect(pickFiles({ ...sources, searched: ["docs/index.md", "gone.ts"] })).toEqual(["docs/index.md"]);
  });

  it("come from their paths when code search has nothing either", () => {
    expect(pickFiles({ ...sources, searched: ["gone.ts"] })).toEqual(
      expect.arrayContaining(["login", "src/login.ts", "src/login.test.ts"]),
    );
    expect(pickFiles(sources).every((path) => path.includes("login"))).toBe(true);
  });

  it("are five at most", () => {
    expect(pickFiles({ ...sources, instruction: "session.ts", chosen: tree })).toHaveLength(5);
  });

  it("are none that programs make, unless one is named", () => {
    expect(pickFiles({ ...sources, chosen: ["package-lock.json"] })).toEqual([]);
    expect(pickFiles({ ...sources, instruction: "package-lock.json", chosen: [] })).toEqual(["package-lock.json"]);
  });
});

describe("the question to the small model", () => {
  const asked = { boundary: "k3m9x2", instruction: "fix the login", said: [], pictures: [], paths: tree };
  const textOf = (message: ReturnType<typeof pickMessage>): string => JSON.stringify(message.content);

  it("has the tree, the task and the pictures", () => {
    const picture = {
      type: "image" as const,
      source: { type: "base64" as const, media_type: "image/png" as const, data: "aGk=" },
    };
    const message = pickMessage({ ...asked, pictures: [picture], said: [{ from: "Ann", text: "in the session" }] });
    expect(message.content[0]).toBe(picture);
    expect(textOf(message)).toContain("src/a/\\n  index.ts");
    expect(textOf(message)).toContain("fix the login");
    expect(textOf(message)).toContain("Ann: in the session");
  });

  it("points at likely files of a large tree, and stays bounded", () => {
    const paths = Array.from({ length: 100_000 }, (_, index) => `pkg/p${index % 700}/deep/file-${index}.ts`);
    const text = textOf(pickMessage({ ...asked, paths: [...paths, "pkg/p1/deep/login-form.ts"] }));
    expect(text).toContain("pkg/p1/deep/login-form.ts");
    expect(text.length).toBeLessThan(80_000);
  });
});
