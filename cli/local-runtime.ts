import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { applyMigrations } from "./d1-migrations.ts";
import { describeError, Failure } from "./failure.ts";
import { freePort } from "./free-port.ts";
import { openLog } from "./log-file.ts";
import { tieWorkerdToThisProcess } from "./lifeline.ts";
import { endOrphans, OWNER_VARIABLE, ownerMark, workerdOf } from "./orphans.ts";

/** Tries to start workerd again in a row before it is left to the person. */
const MAX_REVIVALS = 5;

const REQUIRE = `import { createRequire as requireFrom } from "node:module"; const require = requireFrom("/worker.js");`;

const ROOT = fileURLToPath(new URL("..", import.meta.url));

export interface LocalRuntimeOptions {
  /** Where Durable Objects, D1 and Workflows are kept, and `worker.log` is written. */
  stateDir: string;
  /** The port wished for; another free one is taken when it is not. 0: any. */
  port?: number;
  /** Take the place of the variables and secrets of wrangler.toml. */
  bindings: Record<string, string>;
  /** The Worker's main file; worker/index.ts unless given. */
  entry?: string;
  /** By default a signal that ends this process does so at once, workerd included. False: the caller listens, and calls `close`. */
  exitOnSignal?: boolean;
}

export interface LocalRuntime {
  url: string;
  logFile: string;
  /** The running workerd, a child of this process; undefined while it restarts (and where there is no /proc). */
  workerdPid(): number | undefined;
  close(): Promise<void>;
}

async function bundle(entry: string): Promise<string> {
  const { build, stop } = await import("esbuild");
  try {
    const result = await build({
      entryPoints: [entry],
      absWorkingDir: ROOT,
      bundle: true,
      write: false,
      format: "esm",
      platform: "neutral",
      conditions: ["workerd", "worker", "browser"],
      mainFields: ["browser", "module", "main"],
      external: ["node:*", "cloudflare:*"],
      // For packages that are CommonJS and ask for Node's modules (@slack/web-api): wrangler does this with its own means.
      banner: { js: REQUIRE },
      target: "es2024",
      loader: { ".sql": "text" },
      jsx: "automatic",
      jsxImportSource: "hono/jsx",
      sourcemap: "inline",
      logLevel: "silent",
    });
    return result.outputFiles[0]?.text ?? "";
  } catch (error) {
    throw new Failure(`The Worker could not be built: ${describeError(error)}`, { cause: error });
  } finally {
    await stop();
  }
}

const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Runs `operation`, and takes back the listeners for ending signals that it added. */
function withoutSignalListeners<T>(operation: () => T): T {
  const before = ENDING.map((signal) => process.listeners(signal));
  const result = operation();
  ENDING.forEach((signal, index) => {
    for (const listener of process.listeners(signal))
      if (!before[index]?.includes(listener)) process.off(signal, listener);
  });
  return result;
}

/**
 * Runs the Worker of wrangler.toml on this machine, in the runtime Cloudflare uses, with its database up to
 * date before the first request. A workerd that dies is started again on the same port with the same state; when this
 * process dies, however it does, so does workerd.
 */
export async function startLocalRuntime(options: LocalRuntimeOptions): Promise<LocalRuntime> {
  tieWorkerdToThisProcess();
  const stateDir = resolve(options.stateDir);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const logFile = join(stateDir, "worker.log");
  const log = openLog(logFile);
  const [contents, { convertV4MiniflareOptions, Log, LogLevel, Miniflare }, wrangler] = await Promise.all([
    bundle(options.entry ?? join(ROOT, "worker", "index.ts")),
    import("miniflare"),
    import("wrangler"),
    endOrphans(stateDir),
  ]);

  class FileLog extends Log {
    protected override log(message: string): void {
      log("miniflare", message);
    }
    override error(error: Error): void {
      super.error(error);
      // A workerd that dies is started again, but not one that dies while it starts.
      if ("code" in error && error.code === "ERR_RUNTIME_FAILURE") void revive();
    }
  }

  const { workerOptions } = wrangler.unstable_getMiniflareWorkerOptions(join(ROOT, "wrangler.toml"));
  const port = await freePort(options.port);
  const create = () => (options.exitOnSignal === false ? withoutSignalListeners(construct) : construct());
  const construct = () =>
    new Miniflare({
      ...convertV4MiniflareOptions({
        ...workerOptions,
        bindings: { ...(workerOptions.bindings as Record<string, string>), ...options.bindings },
        modules: [{ type: "ESModule", path: join(ROOT, "worker.js"), contents }],
        host: "127.0.0.1",
        port,
        cf: false, // else it asks Cloudflare for an example of `request.cf` at every start
      }),
      // After the conversion, which drops them.
      resourcePersistencePath: stateDir,
      unsafeRuntimeEnv: { [OWNER_VARIABLE]: ownerMark(stateDir) },
      log: new FileLog(LogLevel.WARN),
      logRequests: false,
      handleStructuredLogs: ({ level, message }) => log(level, message),
    });
  let runtime = create();
  let closed = false;

  async function revive(): Promise<void> {
    for (let tries = 0; tries < MAX_REVIVALS && !closed; tries += 1) {
      await runtime.dispose().catch(() => undefined);
      runtime = create();
      try {
        await runtime.ready;
        return;
      } catch (error) {
        log("error", `The Workers runtime did not start again: ${describeError(error)}`);
      }
    }
  }

  try {
    const url = (await runtime.ready).origin;
    if (workerOptions.d1Databases !== undefined) {
      const database = await runtime.getD1Database("DB");
      await applyMigrations(database, join(ROOT, "migrations"), wrangler.unstable_splitSqlQuery);
    }
    const close = async (): Promise<void> => {
      closed = true;
      await runtime.dispose();
    };
    return { url, logFile, workerdPid: () => workerdOf(stateDir), close };
  } catch (error) {
    await runtime.dispose().catch(() => {});
    if (error instanceof Failure) throw error;
    throw new Failure(`The Workers runtime did not start: ${describeError(error)}\nMore in ${logFile}`, {
      cause: error,
    });
  }
}
