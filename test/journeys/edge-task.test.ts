import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeContent, writeDelete, writeEdits } from "#core/edits-markers.ts";
import { type EdgeWorld, LONG_LINES, startEdgeWorld, textOf } from "./edge-world.ts";
import { git } from "./stack.ts";

/** A task done by a model: which files it is shown, and what becomes of its answer in the repository. */
let world: EdgeWorld;
beforeAll(async () => {
  world = await startEdgeWorld();
});
afterAll(() => world.close());

const edit = (path: string, search: string, replace: string) => writeEdits(path, [{ search, replace }]);
const LOGIN = edit("src/login.js", "const MAX_FAILURES = 5;\n", "const MAX_FAILURES = 3;\n");

/** The paths of the files that the model was shown by the last request for a task. */
function shownPaths(): string[] {
  const [first] = world.requests().at(-1)?.messages ?? [];
  return [...textOf(first?.content).matchAll(/^<file-\w+ path="(.+)">$/gm)].map(([, path]) => path ?? "");
}

async function leavesNothing(work: () => Promise<void>): Promise<void> {
  const before = [world.branches(), await world.pulls()];
  await work();
  expect([world.branches(), await world.pulls()]).toEqual(before);
}

describe("the files that the model is shown", () => {
  it("are first those named in the instruction, then those that the small model chose", async () => {
    world.script(["src/users.js"], LOGIN);
    expect((await world.ask("fix the limit in src/login.js")).ok).toBe(true);
    expect(shownPaths()).toEqual(["src/login.js", "src/users.js"]);
  });

  it("come from code search when the small model names files that do not exist", async () => {
    world.script(["lib/nowhere.js"], "Nothing to do.");
    await world.ask("instruct scryptSync");
    expect(shownPaths()).toEqual(["src/users.js"]);
  });

  it("are those whose paths sound like the task when code search finds nothing, or cannot be asked", async () => {
    world.script(["lib/nowhere.js"], "Nothing to do.", "Nothing to do.");
    await world.ask("fix the zebra session");
    expect(shownPaths()).toEqual(["src/session.js"]);
    world.stack.github.faults.add({
      match: { path: /^\/search/ },
      effect: { kind: "answer", status: 404, body: { message: "Not Found" } },
    });
    await world.ask("fix the zebra session");
    world.stack.github.faults.clear();
    expect(shownPaths()).toEqual(["src/session.js"]);
  });

  it("are cut after 20 KB, with a mark after them", async () => {
    const replaced = edit("data/long.txt", "line 3 of a long file\n", "line three\n");
    world.script([], writeContent("data/long.txt", "short\n"), replaced);
    const { ok, branch } = await world.ask("fix data/long.txt");
    const [asked, repair] = world.requests();
    const first = textOf(asked?.messages[0]?.content);
    expect(first).toMatch(/<\/file-\w+>\n\["data\/long.txt" goes on: \d+ more lines, .* not shown\]/);
    expect(first).not.toContain(`line ${LONG_LINES - 1} `);
    expect(textOf(repair?.messages.at(-1)?.content)).toContain("Only a part of this file was shown");
    expect(ok).toBe(true);
    expect(git(world.stack.repository, "diff", "--numstat", `main...${branch}`)).toBe("1\t1\tdata/long.txt");
  });
});

describe("what the model answers", () => {
  it("becomes one commit with exactly its edits, line endings and modes kept", async () => {
    world.script(
      ["src/windows.txt", "bin/run.sh"],
      [
        "All of it.\n",
        edit("src/windows.txt", "two\n", "zwei\n"),
        edit("bin/run.sh", "echo old\n", "echo new\n"),
        writeContent("src/new/file.js", "export const a = 1;\n"),
        writeDelete("src/doubled.js"),
      ].join("\n"),
    );
    const { branch, text } = await world.ask("fix everything");
    expect(world.changes(branch)).toBe("M\tbin/run.sh\nD\tsrc/doubled.js\nA\tsrc/new/file.js\nM\tsrc/windows.txt");
    expect(world.show(branch, "src/windows.txt")).toBe("one\r\nzwei\r\nthree\r\n");
    expect(world.show(branch, "bin/run.sh")).toBe("#!/bin/sh\necho new\n");
    expect(git(world.stack.repository, "ls-tree", branch, "bin/run.sh")).toMatch(/^100755 /);
    expect(world.show(branch, "src/new/file.js")).toBe("export const a = 1;\n");
    expect(git(world.stack.repository, "rev-list", "--count", `main..${branch}`)).toBe("1");
    expect(text).toContain("All of it.");
  });

  it("marks files that a person has to approve in the pull request", async () => {
    world.script(
      [],
      `Runs on every push and pull request.\n\n${edit(".github/workflows/ci.yml", "on: push\n", "on: [push]\n")}`,
    );
    const { branch } = await world.ask("fix .github/workflows/ci.yml");
    const [pull] = await world.pulls(branch);
    expect(pull?.body).toMatch(/\*\*Guarded files\*\*[^]*`\.github\/workflows\/ci\.yml`/);
  });

  it("is put together from several calls when one is too short for it", async () => {
    const lines = Array.from({ length: 60 }, (_, line) => `export const value${line} = ${line};\n`);
    const whole = `A table.\n\n${writeContent("src/table.js", lines.join(""))}`;
    const cut = whole.slice(0, whole.indexOf("value30") + 4);
    const rest = whole.slice(whole.indexOf("export const value27"));
    world.script([], { text: cut, stopReason: "max_tokens" }, rest);
    const { branch } = await world.ask("implement a table of values");
    expect(world.show(branch, "src/table.js")).toBe(lines.join(""));
    expect(world.requests()).toHaveLength(2);
  });

  it("without a block is shown as it is, and makes no branch", () =>
    leavesNothing(async () => {
      world.script([], "It is locked for **a minute** after five failures.");
      const { ok, text } = await world.ask("instruct tell me how long a name is locked");
      expect([ok, text]).toEqual([true, expect.stringContaining("It is locked for **a minute** after five failures.")]);
    }));

  it("may be a refusal, which is told", () =>
    leavesNothing(async () => {
      world.script([], { refusal: { explanation: "It would do harm." } });
      const { ok, text } = await world.ask("fix something terrible");
      expect([ok, text]).toEqual([
        false,
        expect.stringContaining("The model declined this task, so nothing was changed. It says: It would do harm."),
      ]);
    }));
});

describe("edits that do not fit", () => {
  it.for([
    [
      "missing",
      edit("src/login.js", "const LIMIT = 5;\n", "const LIMIT = 3;\n"),
      "is not in the file exactly like this",
    ],
    ["ambiguous", edit("src/doubled.js", "work();\n", "rest();\n"), "more than once, at lines 2, 3"],
  ] as const)("because their text is %s are asked for once more, with what is wrong", async ([, wrong, said]) => {
    const other = edit("README.md", "# Shop\n", "# The shop\n");
    const title = /^# .*\n/.exec(world.show("main", "README.md"))?.[0] ?? "";
    const repaired = wrong.includes("doubled") ? edit("src/doubled.js", "start();\nwork();\n", "start();\n") : LOGIN;
    world.script([], `Fine.\n\n${other.replace("# Shop\n", title)}\n${wrong}`, repaired);
    const { ok, branch, text } = await world.ask("fix the edits of src/login.js and src/doubled.js");
    expect(ok, text).toBe(true);
    expect(textOf(world.requests().at(-1)?.messages.at(-1)?.content)).toContain(said);
    expect(world.changes(branch)).toBe(
      `M\tREADME.md\nM\t${wrong.includes("doubled") ? "src/doubled.js" : "src/login.js"}`,
    );
  });

  it("also after their repair end the task in words, with nothing half done", () =>
    leavesNothing(async () => {
      const wrong = edit("src/login.js", "const LIMIT = 5;\n", "const LIMIT = 3;\n");
      world.script([], `${writeContent("a.js", "1;\n")}\n${wrong}`, wrong);
      const { ok, text } = await world.ask("fix src/login.js twice wrongly");
      expect([ok, text]).toEqual([
        false,
        expect.stringContaining(
          "do not fit the files, also after a repair, so nothing was changed. src/login.js: The search text is not in the file",
        ),
      ]);
      expect(
        world
          .requests()
          .slice(-2)
          .map(({ messages }) => messages.length),
      ).toEqual([1, 3]);
    }));

  it("and are left out by the repair make no half change", () =>
    leavesNothing(async () => {
      const wrong = edit("src/login.js", "const LIMIT = 5;\n", "const LIMIT = 3;\n");
      world.script([], `${writeContent("a.js", "1;\n")}\n${wrong}`, "I am sorry.");
      expect((await world.ask("fix src/login.js and forget it")).text).toContain(
        "src/login.js: The search text is not in the file",
      );
    }));

  it.for([
    ["outside the repository", writeContent("../evil.sh", "x\n")],
    ["inside .git", writeContent(".git/hooks/pre-commit", "x\n")],
  ] as const)("because their path is %s are refused", ([, block]) =>
    leavesNothing(async () => {
      world.script([], block, block);
      const { ok, text } = await world.ask("fix what is outside");
      expect([ok, text]).toEqual([false, expect.stringContaining("nothing was changed")]);
    }),
  );

  it("to a binary file are refused, and the others stay", async () => {
    world.script([], `Both.\n\n${LOGIN}\n${writeContent("assets/logo.png", "text\n")}`, "The picture stays as it is.");
    const { branch } = await world.ask("fix the logo and src/login.js");
    expect(world.changes(branch)).toBe("M\tsrc/login.js");
  });

  it("to a file that the model was not shown come again after it has seen it", async () => {
    world.script([], writeContent("src/windows.txt", "one\n"), writeContent("src/windows.txt", "one\n"));
    const { branch } = await world.ask("fix the unseen");
    expect(textOf(world.requests().at(-1)?.messages.at(-1)?.content)).toContain('path="src/windows.txt">\none');
    expect(world.show(branch, "src/windows.txt")).toBe("one\r\n");
  });
});
