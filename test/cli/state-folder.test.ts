import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { number, object } from "zod";
import { loadHistory, saveHistory } from "#cli/history.ts";
import { localApiToken, openStateFolder, stateFolderPath } from "#cli/state-folder.ts";
import { runCli, temporaryFolder } from "./run-cli.ts";

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

test("is where the person says, else where XDG says, else in their home", () => {
  expect(stateFolderPath({ CODESPAR_STATE_DIR: "/a/b", XDG_STATE_HOME: "/x" })).toBe("/a/b");
  expect(stateFolderPath({ XDG_STATE_HOME: "/x" })).toBe("/x/codespar");
  expect(stateFolderPath({})).toMatch(/\/\.local\/state\/codespar$/);
});

test("is for its owner only, even if it was there with more rights", () => {
  const path = join(temporaryFolder(), "deep", "state");
  mkdirSync(path, { recursive: true, mode: 0o755 });
  const folder = openStateFolder(path);
  folder.writeText("x", "secret");
  expect([mode(path), mode(folder.file("x"))]).toEqual(["700", "600"]);
});

test("makes the API token once and keeps it", () => {
  const path = temporaryFolder();
  const token = localApiToken(openStateFolder(path));
  expect(token).toMatch(/^[0-9a-f]{64}$/);
  expect(localApiToken(openStateFolder(path))).toBe(token);
  expect(mode(join(path, "api-token"))).toBe("600");
});

test("says which file is damaged and what to do", () => {
  const path = temporaryFolder();
  writeFileSync(join(path, "api-token"), "rubbish");
  writeFileSync(join(path, "ports.json"), "{");
  const folder = openStateFolder(path);
  expect(() => localApiToken(folder)).toThrow(`${join(path, "api-token")} is damaged. Delete it`);
  expect(() => folder.readJson("ports.json", object({ worker: number() }))).toThrow("ports.json is damaged. Delete it");
});

test("of two that create a file at once, one wins", () => {
  const folder = openStateFolder(temporaryFolder());
  expect([folder.createText("lock", "first"), folder.createText("lock", "second")]).toEqual([true, false]);
  expect(folder.readText("lock")).toBe("first");
});

test("does not remove what somebody else has written meanwhile", () => {
  const folder = openStateFolder(temporaryFolder());
  folder.writeText("lock", "theirs");
  folder.removeIfStill("lock", "stale");
  expect(folder.readText("lock")).toBe("theirs");
  folder.removeIfStill("lock", "theirs");
  expect(folder.readText("lock")).toBeUndefined();
  expect(readdirSync(folder.path)).toEqual([]);
});

test.each([
  ["a file", "file", "it is a file"],
  ["inside a file", "file/state", "not a folder"],
])("a folder that is %s ends the command with words", async (_, name, words) => {
  const parent = temporaryFolder();
  writeFileSync(join(parent, "file"), "");
  const path = join(parent, name);
  const { stderr, code } = await runCli(["chat"], { env: { CODESPAR_STATE_DIR: path } });
  expect(stderr).toContain(`The state folder ${path} cannot be used`);
  expect(stderr).toContain(words);
  expect(stderr).toContain("CODESPAR_STATE_DIR");
  expect(code).toBe(1);
});

test("the history is bounded and keeps no one-time codes", () => {
  const folder = openStateFolder(temporaryFolder());
  saveHistory(folder, [
    "claim 7k2m9qxw4h",
    "@codespar link-me abc",
    ...Array.from({ length: 600 }, (_, index) => `status ${index}`),
  ]);
  const history = loadHistory(folder);
  expect(history[0]).toBe("status 0");
  expect(history.length).toBeLessThanOrEqual(500);
});
