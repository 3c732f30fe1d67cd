import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { lint } from "./lint-probe.ts";
import { ROOT, repositoryFiles } from "./repository.ts";

// The arrows of the architecture, once more and in other words than the linter's: both must say the same.
const ARROWS: Record<string, readonly string[]> = {
  core: [],
  channels: ["core"],
  clients: ["core"],
  db: ["core"],
  agents: ["core", "clients"],
  "durable-objects": ["core", "channels", "clients", "db"],
  dashboard: ["core"],
  worker: ["core", "channels", "clients", "db", "agents", "durable-objects", "dashboard"],
  "sandbox-runner": ["core"],
  cli: ["core"],
  emulators: ["core"],
};
const ROOMS = Object.keys(ARROWS);
const OUTSIDE = ["bench", "test"];
// Neither is imported by anything.
const NOT_CODE = ["docs", "migrations", "types"];

/** The ways to import, all of them erased or resolved by the name in quotes. */
const FORMS: Record<string, (specifier: string) => string> = {
  "an import": (from) => `import { thing } from "${from}";\nthing();\n`,
  "an import of everything": (from) => `import * as things from "${from}";\nthings.thing();\n`,
  "an import for its effect": (from) => `import "${from}";\n`,
  "a type import": (from) => `import type { Thing } from "${from}";\nexport const thing: Thing = 1;\n`,
  "an inline type import": (from) => `import { type Thing } from "${from}";\nexport const thing: Thing = 1;\n`,
  "a re-export": (from) => `export { thing } from "${from}";\n`,
  "a re-export of everything": (from) => `export * from "${from}";\n`,
  "a type re-export": (from) => `export type { Thing } from "${from}";\n`,
  "a dynamic import": (from) => `export const thing = await import("${from}");\n`,
};

const BOUNDARY = "eslint(no-restricted-imports)";
const files = new Map<string, string>();
let refused: Map<string, Set<string>>;

/** Plans a file that imports `specifier` in the given way; returns its path. */
function plan(path: string, specifier: string, form = "an import"): string {
  const way = FORMS[form];
  if (!way) throw new Error(`There is no form "${form}".`);
  files.set(path, way(specifier));
  return path;
}

const rulesFor = (path: string): string[] => [...(refused.get(path) ?? [])];
const slug = (text: string): string => text.replaceAll(/[^a-z0-9]+/gi, "-");

// One run of the linter over everything that the tests below have planned while they were collected.
beforeAll(() => {
  refused = lint(files);
});

/** A test that the linter refuses, or takes, an import of `specifier` written in the file `path`. */
function judges(path: string, specifier: string, allowed: boolean): void {
  plan(path, specifier);
  it(`${allowed ? "takes" : "refuses"} ${specifier} in ${path.slice(0, path.lastIndexOf("/"))}/`, () => {
    expect(rulesFor(path).includes(BOUNDARY)).toBe(!allowed);
  });
}

describe("the arrows between rooms", () => {
  for (const from of ROOMS) {
    for (const to of [...ROOMS, ...OUTSIDE].filter((room) => room !== from)) {
      const allowed = ARROWS[from]?.includes(to) ?? false;
      const planned = Object.keys(FORMS).flatMap((form) =>
        ["", "deeper/", "deeper/still/"].map((folder) => ({
          form,
          path: plan(`${from}/${folder}to-${to}-${slug(form)}.ts`, `#${to}/some/file.ts`, form),
        })),
      );
      it(`${from} ${allowed ? "may" : "may not"} import ${to}`, () => {
        const forms = planned
          .filter(({ path }) => rulesFor(path).includes(BOUNDARY))
          .map(({ form, path }) => `${form} (${path})`);
        expect(forms).toEqual(allowed ? [] : planned.map(({ form, path }) => `${form} (${path})`));
      });
    }
  }

  for (const from of OUTSIDE) {
    for (const to of ROOMS) judges(`${from}/deeper/${to}.ts`, `#${to}/file.ts`, true);
  }

  it("hold for every folder of the repository: one without arrows would escape the linter", () => {
    const folders = new Set(
      repositoryFiles().flatMap((path) => (path.includes("/") ? [path.slice(0, path.indexOf("/"))] : [])),
    );
    const code = [...folders].filter((folder) => !folder.startsWith(".") && !NOT_CODE.includes(folder));
    expect(code.filter((folder) => !ROOMS.includes(folder) && !OUTSIDE.includes(folder))).toEqual([]);
  });
});

describe("the emulators", () => {
  judges("cli/start.ts", "#emulators/github/emulator.ts", true);
  judges("cli/main.ts", "#emulators/github/emulator.ts", false);
  judges("cli/deeper/start.ts", "#emulators/github/emulator.ts", false);
  judges("worker/start.ts", "#emulators/github/emulator.ts", false);
});

describe("within a room", () => {
  for (const room of ROOMS) {
    judges(`${room}/sibling.ts`, "./other.ts", true);
    judges(`${room}/below.ts`, "./deeper/other.ts", true);
    judges(`${room}/deeper/beside.ts`, "../beside/other.ts", true);
    judges(`${room}/deeper/still/beside.ts`, "../../beside/other.ts", true);
    judges(`${room}/by-alias.ts`, `#${room}/other.ts`, false);
  }
});

describe("a relative path never leaves its room", () => {
  const out = [...ROOMS, ...OUTSIDE, ...NOT_CODE, "node_modules"];
  for (const from of ROOMS) {
    // Also where the arrow is allowed: it is drawn by alias.
    const planned = out
      .filter((folder) => folder !== from)
      .flatMap((to) => [
        plan(`${from}/flat-out-to-${to}.ts`, `../${to}/file.ts`),
        plan(`${from}/disguised-out-to-${to}.ts`, `./../${to}/file.ts`),
        plan(`${from}/detour-out-to-${to}.ts`, `./deeper/../../${to}/file.ts`),
        plan(`${from}/around-out-to-${to}.ts`, `../../any-name/${to}/file.ts`),
        plan(`${from}/deeper/out-to-${to}.ts`, `../../${to}/file.ts`),
        plan(`${from}/deeper/still/out-to-${to}.ts`, `../../../${to}/deeper/file.ts`),
        plan(`${from}/deeper/dynamic-out-to-${to}.ts`, `../../${to}/file.ts`, "a dynamic import"),
        plan(`${from}/deeper/type-out-to-${to}.ts`, `../../${to}/file.ts`, "a type import"),
      ]);
    it(`${from} reaches no other folder by ../`, () => {
      expect(planned.filter((path) => !rulesFor(path).includes(BOUNDARY))).toEqual([]);
    });
    judges(`${from}/to-package.ts`, "../package.json", false);
    judges(`${from}/absolute.ts`, "/somewhere/core/file.ts", false);
  }
  judges("test/core/relative.ts", "../../core/commands.ts", false);
  judges("test/core/beside.ts", "../journeys/stack.ts", true);
  judges("bench/relative.ts", "../core/commands.ts", false);
});

describe("packages", () => {
  judges("core/zod.ts", "zod", true);
  for (const specifier of [
    "zod/v4",
    "hono",
    "drizzle-orm",
    "@octokit/rest",
    "node:crypto",
    "node:fs/promises",
    "fs",
    "cloudflare:workers",
  ]) {
    judges(`core/package-${slug(specifier)}.ts`, specifier, false);
  }
  for (const room of ["agents", "durable-objects", "worker"]) judges(`${room}/runtime.ts`, "cloudflare:workers", true);
  for (const room of ROOMS.filter((name) => !["agents", "durable-objects", "worker"].includes(name))) {
    judges(`${room}/runtime.ts`, "cloudflare:workers", false);
  }
  for (const room of ["cli", "emulators", "sandbox-runner"]) judges(`${room}/files.ts`, "node:fs/promises", true);
  for (const room of ["channels", "clients", "db", "agents", "durable-objects", "dashboard", "worker"]) {
    judges(`${room}/files.ts`, "node:fs/promises", false);
    judges(`${room}/local-runtime.ts`, "miniflare", false);
    judges(`${room}/test-tool.ts`, "vitest", false);
  }
  judges("db/query.ts", "drizzle-orm/d1", true);
  judges("worker/query.ts", "drizzle-orm/d1", false);
  judges("clients/octokit.ts", "@octokit/rest", true);
  judges("agents/octokit.ts", "@octokit/rest", false);
});

describe("what the boundary rule does not see is refused by another", () => {
  const cases: Record<string, { source: string; rule: string }> = {
    "an import type": {
      source: `export type Thing = import("#cli/file.ts").Thing;\n`,
      rule: "typescript(consistent-type-imports)",
    },
    "the type of a module": {
      source: `export type Things = typeof import("#cli/file.ts");\n`,
      rule: "typescript(consistent-type-imports)",
    },
    "require()": { source: `export const thing = require("#cli/file.ts");\n`, rule: "typescript(no-require-imports)" },
    "import = require()": {
      source: `import thing = require("#cli/file.ts");\nthing();\n`,
      rule: "typescript(no-require-imports)",
    },
    "a computed import": {
      source: `export const load = (name: string) => import("#cli/" + name);\n`,
      rule: "import(no-dynamic-require)",
    },
  };
  for (const [name, { source, rule }] of Object.entries(cases)) {
    const path = `core/unseen-${slug(name)}.ts`;
    files.set(path, source);
    it(`refuses ${name}`, () => expect(rulesFor(path)).toContain(rule));
  }

  it("an import by a template, which no rule sees, is nowhere", () => {
    const sources = repositoryFiles().filter((path) => /\.(ts|tsx|js)$/.test(path));
    expect(sources.filter((path) => /\bimport\(\s*`/.test(readFileSync(join(ROOT, path), "utf8")))).toEqual([]);
  });
});

describe("core is pure", () => {
  const cases: Record<string, string> = {
    "the clock": "export const now = () => Date.now();\n",
    randomness: "export const any = () => Math.random();\n",
    fetch: `export const answer = () => fetch("https://example.com");\n`,
    "a timer": "export const wait = (done: () => void) => setTimeout(done, 1);\n",
    "a hash function": `export const digest = (data: Uint8Array) => crypto.subtle.digest("SHA-256", data);\n`,
    "the environment": `export const token = process.env["TOKEN"];\n`,
  };
  for (const [name, source] of Object.entries(cases)) {
    const path = `core/pure-${slug(name)}.ts`;
    files.set(path, source);
    it(`refuses ${name}`, () =>
      expect(rulesFor(path).filter((rule) => rule.includes("no-restricted-"))).toHaveLength(1));
  }
});
