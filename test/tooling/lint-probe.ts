import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { array, object, string } from "zod";
import { ROOT } from "./repository.ts";

const Report = object({ diagnostics: array(object({ code: string(), severity: string(), filename: string() })) });

/**
 * Lints `files` (path → source) with the repository's own rules, in a folder of their own and in one run. Returns, for
 * each path, the rules that refuse it.
 */
export function lint(files: ReadonlyMap<string, string>): Map<string, Set<string>> {
  const folder = mkdtempSync(join(tmpdir(), "codespar-lint-"));
  try {
    copyFileSync(join(ROOT, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
    for (const [path, source] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), source);
    }
    const binary = join(dirname(createRequire(import.meta.url).resolve("oxlint/package.json")), "bin", "oxlint");
    const run = spawnSync(process.execPath, [binary, "--format=json"], {
      cwd: folder,
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    });
    const { diagnostics } = Report.parse(JSON.parse(run.stdout));
    const refused = new Map([...files.keys()].map((path) => [path, new Set<string>()]));
    for (const { code, severity, filename } of diagnostics) if (severity === "error") refused.get(filename)?.add(code);
    return refused;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
