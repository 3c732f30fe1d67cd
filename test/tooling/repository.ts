import { execFileSync } from "node:child_process";
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The files of the repository: known to git, or about to be. Paths from its root. */
export function repositoryFiles(): string[] {
  const listed = execFileSync(
    "git",
    // Whoever owns the folder: it is only read.
    ["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    { cwd: ROOT, encoding: "utf8" },
  );
  return listed
    .split("\0")
    .filter((path) => path !== "" && lstatSync(join(ROOT, path), { throwIfNoEntry: false })?.isFile());
}
