import type { Risk } from "./permissions.ts";
import {
  CODE_OR_DATA_NAMES,
  CONFIGURATION,
  DOCUMENTATION,
  FILES,
  KEY_MATERIAL,
  PARTS,
  PATTERNS,
  type Tree,
  TREES,
} from "./guarded-names.ts";

/** A path a guardrail protects, as it was given, and what it is, for people. */
export type GuardedPath = { path: string; reason: string };

/** A path as segments in lower case: file systems that do not tell upper from lower case would run `.GitHub/Workflows` too. */
function segmentsOf(path: string): string[] {
  return path
    .replaceAll("\\", "/")
    .toLowerCase()
    .split("/")
    .filter((segment) => segment !== "" && segment !== ".");
}

const extensionOf = (file: string): string => (file.lastIndexOf(".") > 0 ? file.slice(file.lastIndexOf(".") + 1) : "");

/**
 * Which of the paths a change touches meet a guardrail (design/policy.md): CI workflows, security, credentials and permissions, data
 * migrations, infrastructure, and CodeSpar's own configuration. Give both paths of a renamed file.
 *
 * Paths say where something is configured, not what source code does. So what is matched is what grants, holds or runs something: key
 * files, policies, code owners, pipelines; of source code only files and folders whose very name is security or permissions.
 * `src/auth/login.ts` is ordinary source: a person reviews it, and no agent merges it by itself below L4. Were it
 * guarded, each fix of a login page would ask for votes, and people would learn to vote without looking.
 */
export function guardedPaths(paths: readonly string[]): GuardedPath[] {
  const guarded: GuardedPath[] = [];
  for (const path of paths) {
    const reason = reasonFor(segmentsOf(path));
    if (reason !== null) guarded.push({ path, reason });
  }
  return guarded;
}

function reasonFor(segments: readonly string[]): string | null {
  const file = segments.at(-1);
  if (file === undefined) return null;
  const extension = extensionOf(file);
  const named = FILES.get(file);
  if (named !== undefined) return named;
  if (KEY_MATERIAL.has(extension)) return "key or certificate";
  for (const { pattern, reason } of PATTERNS) if (file.length <= 255 && pattern.test(file)) return reason;

  const folders = segments.slice(0, -1);
  for (const [index, folder] of folders.entries()) {
    const part = PARTS.get(folder)?.get(segments[index + 1] ?? "");
    if (part !== undefined) return part;
    const tree = TREES.get(folder);
    if (tree !== undefined && covers(tree, index === 0, extension)) return tree.reason;
  }
  const stem = file.split(".", 1)[0] ?? "";
  return !DOCUMENTATION.has(extension) && CODE_OR_DATA_NAMES.has(stem) ? "permissions" : null;
}

/** Documentation about such things is none of them, but where every file counts: a key may be called notes.txt. */
function covers({ files }: Tree, isRoot: boolean, extension: string): boolean {
  if (files === "every") return true;
  if (DOCUMENTATION.has(extension)) return false;
  return files === "all" || isRoot || (files === "configuration" && CONFIGURATION.has(extension));
}

const TEST_FOLDERS: ReadonlySet<string> = new Set([
  "test",
  "tests",
  "__tests__",
  "spec",
  "specs",
  "e2e",
  "fixtures",
  "__snapshots__",
  "testdata",
]);
const PICTURES: ReadonlySet<string> = new Set(["png", "jpg", "jpeg", "gif", "webp", "svg"]);
/** Documentation by its ending, but read by agents as instructions: changing it changes what they do. */
const AGENT_INSTRUCTIONS: ReadonlySet<string> = new Set([
  "agents.md",
  "claude.md",
  "gemini.md",
  "skill.md",
  "copilot-instructions.md",
]);

/**
 * The risk class of a change by the files it touches: `high` when any is guarded, `low` when all are documentation or tests,
 * else `medium`. No files at all tell nothing: `medium`.
 */
export function riskOfChange(paths: readonly string[]): Risk {
  if (guardedPaths(paths).length > 0) return "high";
  return paths.length > 0 && paths.every((path) => isHarmless(segmentsOf(path))) ? "low" : "medium";
}

function isHarmless(segments: readonly string[]): boolean {
  const file = segments.at(-1) ?? "";
  if (AGENT_INSTRUCTIONS.has(file) || segments[0] === ".claude" || segments[0] === ".cursor") return false;
  const extension = extensionOf(file);
  const folders = segments.slice(0, -1);
  const inDocs = folders[0] === "docs" || folders[0] === "doc";
  // requirements.txt and CMakeLists.txt are no documentation; docs/conf.py runs.
  if (DOCUMENTATION.has(extension)) return extension !== "txt" || inDocs;
  if (file === "license" || file === "changelog" || file === "readme") return true;
  if (inDocs && PICTURES.has(extension)) return true;
  return folders.some((folder) => TEST_FOLDERS.has(folder)) || isTestFile(file);
}

/** `x.test.ts`, `x.spec.tsx`, `x_test.go`, `test_x.py`, `conftest.py`. */
function isTestFile(file: string): boolean {
  const parts = file.split(".");
  if (parts.length > 2 && (parts.at(-2) === "test" || parts.at(-2) === "spec")) return true;
  return (
    file.endsWith("_test.go") ||
    file.endsWith("_test.py") ||
    file === "conftest.py" ||
    (file.startsWith("test_") && file.endsWith(".py"))
  );
}
