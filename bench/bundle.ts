import { execFile } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Measure } from "./core.ts";
import { median } from "./load.ts";

/** What is deployed: how large it is, and how long an isolate takes to evaluate it. */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const ROUNDS = 7;
const run = promisify(execFile);

/** Bundles the Worker as it is deployed into `folder`; resolves to its size in KiB, gzipped, as Cloudflare counts it. */
async function bundle(folder: string, ...options: string[]): Promise<number> {
  const wrangler = join(ROOT, "node_modules", ".bin", "wrangler");
  const { stdout } = await run(wrangler, ["deploy", "--dry-run", "--outdir", folder, ...options], { cwd: ROOT });
  const size = /gzip: ([\d.]+) KiB/.exec(stdout)?.[1];
  if (size === undefined) throw new Error(`wrangler did not tell a size:\n${stdout}`);
  return Number(size);
}

type Module = { type: "ESModule" | "Text"; path: string; contents: string };

const modulesOf = (folder: string): Module[] =>
  readdirSync(folder).flatMap((name): Module[] => {
    if (!/\.(js|sql)$/.test(name)) return [];
    const type = name.endsWith(".js") ? "ESModule" : "Text";
    return [{ type, path: `/${name}`, contents: readFileSync(join(folder, name), "utf8") }];
  });

const BARE: Module[] = [
  { type: "ESModule", path: "/index.js", contents: `export default { fetch: () => new Response("bare") };` },
];

/** Evaluates the modules when it is first asked to, so that starting workerd does not count. */
const EVALUATE = `export default {
  async fetch(request) {
    if (new URL(request.url).pathname === "/evaluate") await import("./index.js");
    return new Response("done");
  },
};`;

/** Milliseconds that a fresh workerd takes to evaluate `modules`: the first request that needs them, less the fastest of the next. */
async function evaluationMs(modules: Module[]): Promise<number> {
  const { Miniflare, convertV4MiniflareOptions } = await import("miniflare");
  const { unstable_getMiniflareWorkerOptions: optionsOf } = await import("wrangler");
  const { compatibilityDate, compatibilityFlags } = optionsOf(join(ROOT, "wrangler.toml")).workerOptions as {
    compatibilityDate: string;
    compatibilityFlags: string[];
  };
  const worker = new Miniflare({
    ...convertV4MiniflareOptions({
      modulesRoot: "/",
      modules: [{ type: "ESModule", path: "/evaluate-index.js", contents: EVALUATE }, ...modules],
      compatibilityDate,
      compatibilityFlags,
      host: "127.0.0.1",
      cf: false,
    }),
  });
  try {
    const { origin } = await worker.ready;
    const timed = async (path: string): Promise<number> => {
      const start = performance.now();
      const response = await fetch(`${origin}${path}`);
      await response.text();
      if (!response.ok) throw new Error(`The bundle could not be evaluated: ${response.status}`);
      return performance.now() - start;
    };
    await timed("/");
    const first = await timed("/evaluate");
    const next: number[] = [];
    for (let again = 0; again < 5; again += 1) next.push(await timed("/evaluate"));
    return first - Math.min(...next);
  } finally {
    await worker.dispose();
  }
}

export async function bundleBench(folder: string): Promise<Measure[]> {
  const deployed = join(folder, "bundle");
  const size = await bundle(deployed);
  const minified = await bundle(join(folder, "bundle-minified"), "--minify");
  const modules = modulesOf(deployed);
  const product: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    product.push(await evaluationMs(modules));
    bare.push(await evaluationMs(BARE));
  }
  return [
    {
      name: "Worker bundle, gzip",
      value: size,
      unit: "KiB",
      goal: "≤ 350",
      note: `as deployed; ${minified.toFixed(0)} KiB minified`,
    },
    {
      name: "Worker start-up, estimate",
      // What else the machine does only adds to it, and is no CPU time of this: so the fastest of each counts.
      value: Math.min(...product) - Math.min(...bare),
      unit: "ms",
      goal: "≤ 30",
      note: `first import in a fresh workerd less a bare Worker's, the fastest of ${ROUNDS} each; median ${(median(product) - median(bare)).toFixed(1)} ms`,
    },
  ];
}
