import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

/** An empty folder that goes away with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "codespar-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface CliOptions {
  env?: Record<string, string>;
  input?: string;
}

/** Starts the real command with its own state folder; ended with the test at the latest. */
export function spawnCli(args: string[], env: Record<string, string> = {}): ChildProcessWithoutNullStreams {
  const { CODESPAR_TOKEN: _, CODESPAR_API_TOKEN: __, NO_COLOR: ___, ...inherited } = process.env;
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...inherited, CODESPAR_STATE_DIR: env["CODESPAR_STATE_DIR"] ?? temporaryFolder(), ...env },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** Runs the real command to its end. */
export async function runCli(args: string[], { env = {}, input = "" }: CliOptions = {}) {
  const child = spawnCli(args, env);
  child.stdin.end(input);
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((done) => child.on("exit", done)),
  ]);
  return { stdout, stderr, code };
}
