import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { boolean, object, record, string } from "zod";
import { ROOT, repositoryFiles } from "./repository.ts";

const read = (path: string): unknown => JSON.parse(readFileSync(join(ROOT, path), "utf8"));

const Lock = object({
  packages: record(
    string(),
    object({ hasInstallScript: boolean().optional(), resolved: string().optional(), integrity: string().optional() }),
  ),
});
const installed = Object.entries(Lock.parse(read("package-lock.json")).packages).filter(([path]) => path !== "");
const { allowScripts } = object({ allowScripts: record(string(), boolean()) }).parse(read("package.json"));

/** "node_modules/a/node_modules/@b/c" is the package @b/c. */
const nameOf = (path: string): string => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);

describe("install scripts", () => {
  const withScripts = new Set(
    installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path)),
  );

  it("are allowed by name for every package that has one, else npm leaves it half installed", () => {
    expect([...withScripts].filter((name) => allowScripts[name] === undefined)).toEqual([]);
  });

  it("are allowed for no package that has none", () => {
    expect(Object.keys(allowScripts).filter((name) => !withScripts.has(name))).toEqual([]);
  });
});

describe("the lock file", () => {
  it("says what each package contains, not where it was fetched from", () => {
    expect(installed.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
    expect(installed.filter(([, { integrity }]) => integrity === undefined)).toEqual([]);
  });
});

describe("the repository", () => {
  // What names a host that serves packages. The rest of a URL is everybody's own business.
  const HOST = /\bregistry\.[a-z0-9-]+\.[a-z]{2,}|\bnpm\.pkg\.[a-z0-9-]+|^\s*(@[\w.-]+:)?registry\s*=/im;

  it("names no package registry: everybody uses their own", () => {
    const naming = repositoryFiles().filter((path) => {
      const content = readFileSync(join(ROOT, path));
      return !content.includes(0) && HOST.test(content.toString("utf8"));
    });
    expect(naming).toEqual([]);
  });
});
