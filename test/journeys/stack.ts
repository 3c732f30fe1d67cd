import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalRuntime, startLocalRuntime } from "#cli/local-runtime.ts";
import { type GitHubEmulator, startGitHubEmulator } from "#emulators/github/emulator.ts";
import { type ModelEmulator, startModelEmulator } from "#emulators/model/emulator.ts";

const ADMIN_TOKEN = "administrator-token-for-tests";
const GITHUB_TOKEN = "github-token-for-tests";
export const MODEL_KEY = "model-key-for-tests";

export type Stack = {
  github: GitHubEmulator;
  /** Asked only when the stack was started with a model. */
  model: ModelEmulator;
  runtime: LocalRuntime;
  /** The bare repository on the emulated GitHub. */
  repository: string;
  api(method: string, path: string, body?: unknown): Promise<Response>;
  /** A token that opens terminals as this account. */
  terminalToken(account: string): Promise<string>;
  /** SIGKILL to workerd. It comes back by itself on the same port with the same state. */
  kill(): void;
  close(): Promise<void>;
};

type StackOptions = {
  account: string;
  bindings?: Record<string, string>;
  /** Whether tasks are done by the emulated model; else they are simulated. */
  withModel?: boolean;
  /** What the repository holds instead of the sample project. */
  fromDirectory?: string;
};

/** The product in workerd with its state on disk, and an emulated GitHub with one repository, linked for `account`. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const directory = mkdtempSync(join(tmpdir(), "codespar-journey-"));
  const github = await startGitHubEmulator({
    stateDir: join(directory, "github"),
    port: 0,
    tokens: { [GITHUB_TOKEN]: { login: "codespar", permissions: "write" } },
  });
  const model = await startModelEmulator({ port: 0, apiKeys: [MODEL_KEY] });
  const modelBindings = { ANTHROPIC_API_KEY: MODEL_KEY, ANTHROPIC_BASE_URL: model.url };
  const sample = join(import.meta.dirname, "../../emulators/sample-project");
  const { directory: repository } = await github.create("local", "shop", {
    fromDirectory: options.fromDirectory ?? sample,
  });
  const runtime = await startLocalRuntime({
    stateDir: join(directory, "worker"),
    port: 0,
    bindings: {
      API_TOKEN: ADMIN_TOKEN,
      GITHUB_API_URL: github.url,
      GITHUB_TOKEN,
      ...(options.withModel ? modelBindings : {}),
      ...options.bindings,
    },
  });
  const api: Stack["api"] = (method, path, body) =>
    fetch(new URL(path, runtime.url), {
      method,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const setup = await api("POST", "/api/setup", {
    account: options.account,
    name: options.account,
    project: { name: "shop", repository: "local/shop" },
    conversation: "main",
  });
  if (!setup.ok) throw new Error(`setup failed: ${setup.status} ${await setup.text()}`);

  return {
    github,
    model,
    runtime,
    repository,
    api,
    async terminalToken(account) {
      const response = await api("POST", "/api/tokens", { account, name: account });
      return ((await response.json()) as { token: string }).token;
    },
    kill() {
      const pid = runtime.workerdPid();
      if (pid !== undefined) process.kill(pid, "SIGKILL");
    },
    async close() {
      await runtime.close();
      await github.close();
      await model.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Runs git in a bare repository and returns what it prints, to the last byte. */
export const gitOutput = (repository: string, ...args: string[]): string =>
  execFileSync("git", ["--git-dir", repository, ...args], { encoding: "utf8" });

/** The same without what surrounds it. */
export const git = (repository: string, ...args: string[]): string => gitOutput(repository, ...args).trim();
