import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startLocalRuntime } from "#cli/local-runtime.ts";
import type { Server } from "./load.ts";

/** Workers on one new folder, which is removed with them. */
export interface Stage {
  readonly folder: string;
  /** Runs the Worker of `bench/FILE`, or the product as it is, with its state on disk. */
  start(file?: string): Promise<Server>;
  close(): Promise<void>;
}

export function openStage(): Stage {
  const folder = mkdtempSync(join(tmpdir(), "codespar-bench-"));
  const closing: (() => Promise<void>)[] = [];
  return {
    folder,
    async start(file) {
      const token = randomBytes(32).toString("hex");
      const runtime = await startLocalRuntime({
        stateDir: join(folder, file ?? "product"),
        port: 0,
        bindings: { API_TOKEN: token, GITHUB_TOKEN: "none", GITHUB_API_URL: "http://127.0.0.1:9" },
        ...(file === undefined ? {} : { entry: fileURLToPath(new URL(file, import.meta.url)) }),
      });
      closing.push(() => runtime.close());
      return { url: runtime.url, token };
    },
    async close() {
      await Promise.all(closing.map((close) => close()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
