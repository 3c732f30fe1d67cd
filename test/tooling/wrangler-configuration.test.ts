import { join } from "node:path";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import { array, object, string } from "zod";
import { ROOT } from "./repository.ts";

const Names = array(string()).default([]);
const Configuration = object({
  main: string(),
  durable_objects: object({ bindings: array(object({ name: string(), class_name: string() })) }),
  workflows: array(object({ name: string(), binding: string(), class_name: string() })),
  migrations: array(
    object({
      tag: string(),
      new_sqlite_classes: Names,
      new_classes: Names,
      deleted_classes: Names,
      renamed_classes: array(object({ from: string(), to: string() })).default([]),
    }),
  ),
});
const configuration = Configuration.parse(unstable_readConfig({ config: join(ROOT, "wrangler.toml") }));
const durableObjects = configuration.durable_objects.bindings.map(({ class_name }) => class_name);
const workflows = configuration.workflows.map(({ class_name }) => class_name);

/** The classes that exist once every migration has been applied, in their order. */
function migrated(): { sqlite: string[]; other: string[] } {
  const sqlite = new Set<string>();
  const other = new Set<string>();
  for (const step of configuration.migrations) {
    for (const name of step.new_sqlite_classes) sqlite.add(name);
    for (const name of step.new_classes) other.add(name);
    for (const { from, to } of step.renamed_classes) {
      const classes = sqlite.has(from) ? sqlite : other;
      classes.delete(from);
      classes.add(to);
    }
    for (const name of step.deleted_classes) {
      sqlite.delete(name);
      other.delete(name);
    }
  }
  return { sqlite: [...sqlite].toSorted(), other: [...other].toSorted() };
}

describe("wrangler.toml", () => {
  let exported: string[];

  beforeAll(async () => {
    // Unbundled: only this file's own exports are read.
    const { metafile } = await build({
      entryPoints: [configuration.main],
      bundle: false,
      write: false,
      metafile: true,
      format: "esm",
      outdir: "unused",
    });
    exported = Object.values(metafile.outputs).flatMap((output) => output.exports);
  });

  it("binds every class that the Worker exports, and none that it does not", () => {
    expect(exported.filter((name) => name !== "default").toSorted()).toEqual(
      [...durableObjects, ...workflows].toSorted(),
    );
  });

  it("names a Worker with a default export", () => {
    expect(exported).toContain("default");
  });

  it("migrates exactly the Durable Objects it binds", () => {
    expect(migrated().sqlite).toEqual(durableObjects.toSorted());
  });

  it("gives every Durable Object SQLite, which the free plan has and the code needs", () => {
    expect(migrated().other).toEqual([]);
  });

  it("tags each migration once", () => {
    const tags = configuration.migrations.map(({ tag }) => tag);
    expect(tags).toEqual([...new Set(tags)]);
  });

  it("binds each class and each name once", () => {
    const names = [
      ...configuration.durable_objects.bindings.map(({ name }) => name),
      ...configuration.workflows.map(({ binding }) => binding),
    ];
    expect(names).toEqual([...new Set(names)]);
    expect([...durableObjects, ...workflows]).toEqual([...new Set([...durableObjects, ...workflows])]);
  });
});
