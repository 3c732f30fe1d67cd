import { spawnSync } from "node:child_process";
import { realpathSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { record, string } from "zod";
import { describeError, Failure, usageFailure } from "./failure.ts";
import type { StateFolder } from "./state-folder.ts";

/** What `start` works on. `project` is its name in CodeSpar, `repository` its `owner/name` on the (emulated) GitHub. */
export interface ProjectTarget {
  project: string;
  repository: { owner: string; name: string };
  /** Where the emulated GitHub gets it from; null for the real GitHub. */
  source: { fromDirectory: string } | { mirrorOf: string } | null;
}

export const fullName = ({ repository }: ProjectTarget): string => `${repository.owner}/${repository.name}`;

const LOCAL_OWNER = "local";
const SAMPLE = "sample-project";
const NAMES_FILE = "repositories.json";

/** The project name closest to what a folder or repository is called (core's ProjectName). */
export function projectName(given: string): string {
  const name = given
    .toLowerCase()
    .replace(/\.git$/, "")
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .replace(/[-.]+$/, "")
    .slice(0, 90);
  return name === "" ? "project" : name;
}

function git(folder: string, ...args: string[]): { ok: boolean; output: string } {
  // Else a surrounding hook's GIT_DIR would be looked at instead of the folder.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
  const { status, stdout, stderr, error } = spawnSync("git", ["-C", folder, ...args], { encoding: "utf8", env });
  if (error)
    throw new Failure(`git could not be run (${describeError(error)}). Install git and try again.`, { cause: error });
  return { ok: status === 0, output: (status === 0 ? stdout : stderr).trim() };
}

/** The repository in the folder `given`; throws `Failure` with one sentence when it cannot be worked on. */
export function checkRepository(given: string): string {
  if (given.trim() === "") throw usageFailure("--repo takes the folder of a git repository.");
  const path = resolve(given);
  let folder: string;
  try {
    folder = realpathSync(path);
    if (!statSync(folder).isDirectory()) throw new Failure(`--repo: ${path} is not a folder.`);
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (/^(https?|ssh|git):|^git@/.test(given)) {
      throw new Failure(`--repo takes a folder on this machine, not ${given}. For GitHub, use --github owner/repo.`);
    }
    throw new Failure(`--repo: ${path} cannot be used: ${describeError(error)}.`, { cause: error });
  }
  const bare = git(folder, "rev-parse", "--is-bare-repository");
  if (!bare.ok) {
    if (/dubious ownership/.test(bare.output))
      throw new Failure(`--repo: git does not trust ${folder}: ${bare.output}`);
    throw new Failure(`--repo: ${folder} is not a git repository. Make it one with \`git init\` and a first commit.`);
  }
  if (bare.output !== "true") {
    const { ok, output: top } = git(folder, "rev-parse", "--show-toplevel");
    if (!ok) throw new Failure(`--repo: ${folder} is inside a .git folder. Give the repository's own folder.`);
    if (realpathSync(top) !== folder)
      throw new Failure(`--repo: ${folder} is only a part of the repository ${top}. Give that one.`);
  }
  if (!git(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").ok) {
    throw new Failure(`--repo: ${folder} has no commit on its current branch. Make a first commit and try again.`);
  }
  return folder;
}

/** The path without symbolic links, as far as it exists. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : join(realPath(dirname(path)), basename(path));
  }
}

/** Throws `Failure` when CodeSpar's own files would show up as changes of the person's repository. Before any is written. */
export function refuseStateInside(repository: string, stateFolder: string): void {
  const [folder, state] = [realPath(resolve(repository)), realPath(resolve(stateFolder))];
  const path = relative(folder, state);
  if (path === ".." || path.startsWith(`..${sep}`)) return;
  if (path !== "" && git(folder, "check-ignore", "--quiet", join(path, "instance.json")).ok) return;
  throw new Failure(
    `The state folder ${stateFolder} is inside the repository ${folder}, where its files would show up as your changes. ` +
      "Set CODESPAR_STATE_DIR to a folder outside, or let the repository ignore it.",
  );
}

/** A name for the folder that no other folder has on this state folder; the same folder keeps its name. */
function nameFor(folder: string, state: StateFolder): string {
  const names = state.readJson(NAMES_FILE, record(string(), string())) ?? {};
  const wished = projectName(basename(folder));
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? wished : `${wished}-${number}`;
    if (name === SAMPLE || (names[name] !== undefined && names[name] !== folder)) continue;
    if (names[name] === undefined) state.writeJson(NAMES_FILE, { ...names, [name]: folder });
    return name;
  }
}

const GITHUB_NAME =
  /^(?:https:\/\/github\.com\/)?([A-Za-z0-9][A-Za-z0-9-]{0,38})\/([A-Za-z0-9._-]{1,100}?)(?:\.git)?\/?$/;

/** What the options of `start` name: a folder, a repository on GitHub, or else the sample project that comes with CodeSpar. */
export function resolveTarget(options: { repo?: string; github?: string }, state: StateFolder): ProjectTarget {
  if (options.repo !== undefined && options.github !== undefined)
    throw usageFailure("Give either --repo or --github, not both.");
  if (options.repo !== undefined) {
    const folder = checkRepository(options.repo);
    const name = nameFor(folder, state);
    return { project: name, repository: { owner: LOCAL_OWNER, name }, source: { mirrorOf: folder } };
  }
  if (options.github !== undefined) {
    const [, owner, name] = GITHUB_NAME.exec(options.github) ?? [];
    if (owner === undefined || name === undefined)
      throw usageFailure(`--github takes owner/repo, not “${options.github}”.`);
    return { project: projectName(name), repository: { owner, name }, source: null };
  }
  const sample = fileURLToPath(new URL("../emulators/sample-project", import.meta.url));
  return { project: SAMPLE, repository: { owner: LOCAL_OWNER, name: SAMPLE }, source: { fromDirectory: sample } };
}
