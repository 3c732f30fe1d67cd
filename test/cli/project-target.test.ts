import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, realpathSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkRepository, projectName, refuseStateInside, resolveTarget } from "#cli/project-target.ts";
import { openStateFolder } from "#cli/state-folder.ts";
import { runCli, temporaryFolder } from "./run-cli.ts";

function git(folder: string, ...args: string[]): void {
  const { status, stderr } = spawnSync("git", [
    "-C",
    folder,
    "-c",
    "user.name=A",
    "-c",
    "user.email=a@example.com",
    ...args,
  ]);
  if (status !== 0) throw new Error(String(stderr));
}

function repository(name: string, options: { commit: boolean } = { commit: true }): string {
  const folder = join(realpathSync(temporaryFolder()), name);
  mkdirSync(folder);
  git(folder, "init", "--quiet");
  if (options.commit) git(folder, "commit", "--quiet", "--allow-empty", "--message", "first");
  return folder;
}

test.each([
  ["My Shop", "my-shop"],
  ["shop.git", "shop"],
  ["_.Ünïcode!", "n-code"],
  ["日本", "project"],
  ["x".repeat(200), "x".repeat(90)],
])("calls the project of a folder %s %s", (folder, name) => {
  expect(projectName(folder)).toBe(name);
});

test("takes a repository with a commit, also a bare one", () => {
  const folder = repository("shop");
  expect(checkRepository(folder)).toBe(folder);
  const bare = join(realpathSync(temporaryFolder()), "bare.git");
  git(folder, "clone", "--quiet", "--bare", folder, bare);
  expect(checkRepository(bare)).toBe(bare);
});

test("says in one sentence why a folder cannot be worked on", () => {
  const folder = repository("shop");
  mkdirSync(join(folder, "src"));
  writeFileSync(join(folder, "file"), "");
  const plain = temporaryFolder();
  expect(() => checkRepository(join(folder, "nowhere"))).toThrow("it does not exist");
  expect(() => checkRepository(join(folder, "file"))).toThrow("is not a folder");
  expect(() => checkRepository(plain)).toThrow("is not a git repository");
  expect(() => checkRepository(repository("empty", { commit: false }))).toThrow("has no commit");
  expect(() => checkRepository(join(folder, "src"))).toThrow(`only a part of the repository ${folder}`);
  expect(() => checkRepository(join(folder, ".git"))).toThrow("inside a .git folder");
  expect(() => checkRepository("https://github.com/acme/shop")).toThrow("use --github");
});

test("two folders of the same name are two projects, and keep their names", () => {
  const state = openStateFolder(temporaryFolder());
  const [one, two] = [repository("shop"), repository("shop")];
  const name = (repo: string) => resolveTarget({ repo }, state).project;
  expect([name(one), name(two), name(one), name(two)]).toEqual(["shop", "shop-2", "shop", "shop-2"]);
  expect(name(repository("sample-project"))).toBe("sample-project-2");
});

test("refuses to keep its state in the repository, before anything is written there", async () => {
  const folder = repository("shop");
  const { mode } = statSync(folder);
  for (const state of [folder, join(folder, "deep", "state")]) {
    const { stderr, code } = await runCli(["start", "--repo", folder, "--once", "status"], {
      env: { CODESPAR_STATE_DIR: state },
    });
    expect(stderr).toContain(`The state folder ${state} is inside the repository ${folder}`);
    expect(code).toBe(1);
  }
  expect(existsSync(join(folder, "deep"))).toBe(false);
  expect(statSync(folder).mode).toBe(mode);
});

test("takes a state folder beside the repository, or one that the repository ignores", () => {
  const folder = repository("shop");
  const link = join(realpathSync(temporaryFolder()), "link");
  symlinkSync(folder, link);
  expect(() => refuseStateInside(folder, join(link, "state"))).toThrow("is inside the repository");
  expect(() => refuseStateInside(folder, `${folder}-state`)).not.toThrow();
  expect(() => refuseStateInside(folder, join(folder, "..", "..state"))).not.toThrow();
  writeFileSync(join(folder, ".gitignore"), "/state/\n");
  expect(() => refuseStateInside(folder, join(folder, "state"))).not.toThrow();
});

test("names a repository on GitHub by its name or address", () => {
  const state = openStateFolder(temporaryFolder());
  const target = { project: "shop", repository: { owner: "Acme", name: "Shop" }, source: null };
  for (const github of ["Acme/Shop", "https://github.com/Acme/Shop", "https://github.com/Acme/Shop.git"]) {
    expect(resolveTarget({ github }, state)).toEqual(target);
  }
});

test("asks for a token before anything is started for a repository on GitHub", async () => {
  const { stderr, code } = await runCli(["start", "--github", "acme/shop"], { env: { GITHUB_TOKEN: "" } });
  expect(stderr).toContain("set GITHUB_TOKEN");
  expect(code).toBe(1);
});
