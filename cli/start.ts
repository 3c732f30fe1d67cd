import { randomBytes } from "node:crypto";
import { userInfo } from "node:os";
import { number, object } from "zod";
import { call, type Endpoint, SetupAnswer } from "./api.ts";
import { chatInteractively, chatWith, linesOf } from "./chat.ts";
import { localTerminalToken } from "./endpoint.ts";
import { describeError, Failure } from "./failure.ts";
import { firstScreen, GITHUB_API_URL } from "./first-screen.ts";
import { claimInstance, endOfInstance, type ReadyInstance } from "./instance.ts";
import { openLog } from "./log-file.ts";
import { fullName, type ProjectTarget, refuseStateInside, resolveTarget } from "./project-target.ts";
import { styleOf } from "./render.ts";
import { localApiToken, openStateFolder, type StateFolder, stateFolderPath } from "./state-folder.ts";

export interface StartOptions {
  repo?: string;
  github?: string;
  once?: string;
  timeoutMs: number;
}

const MODEL_VARIABLES = [
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_BASE_URL",
  "TASK_MODEL",
  "NLU_MODEL",
  "MODEL_PRICES",
  "MODEL_TIMEOUT_MS",
] as const;
const PORTS_FILE = "ports.json";
const Ports = object({ worker: number().int().min(0).max(65_535), github: number().int().min(0).max(65_535) });
const FIRST_PORTS = { worker: 8787, github: 8788 };

interface GitHubConnection {
  apiUrl: string;
  url: string;
  token: string;
  close(): Promise<void>;
}

/** The person at this terminal, by a name that the Worker takes as an account. */
function localAccount(): string {
  let name = "";
  try {
    name = userInfo().username;
  } catch {
    // a container may run as a number without a name
  }
  const account = name.replace(/[^A-Za-z0-9._@-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  return account.slice(0, 99) || "me";
}

function ownGitHubToken(target: ProjectTarget): string {
  const token = process.env["GITHUB_TOKEN"];
  if (token) return token;
  throw new Failure(
    `--github ${fullName(target)} needs a token that may write to it: set GITHUB_TOKEN (permissions: contents and pull requests, read and write).`,
  );
}

/** The real GitHub, with the person's own token. */
function realGitHub(target: ProjectTarget): GitHubConnection {
  const token = ownGitHubToken(target);
  const apiUrl = (process.env["GITHUB_API_URL"] || GITHUB_API_URL).replace(/\/+$/, "");
  if (!/^https?:\/\//.test(apiUrl) || !URL.canParse(apiUrl))
    throw new Failure(`GITHUB_API_URL must be an http or https address, not “${apiUrl}”.`);
  return { apiUrl, url: apiUrl, token, close: async () => {} };
}

async function emulatedGitHub(target: ProjectTarget, port: number, folder: StateFolder): Promise<GitHubConnection> {
  const { startGitHubEmulator } = await import("#emulators/github/emulator.ts");
  const token = randomBytes(20).toString("hex");
  const log = openLog(folder.file("github.log"));
  const emulator = await startGitHubEmulator({
    stateDir: folder.file("github"),
    port,
    tokens: { [token]: { login: "codespar", permissions: "write" } },
    log: (line) => log("github", line),
  });
  try {
    if (target.source !== null) await emulator.create(target.repository.owner, target.repository.name, target.source);
  } catch (error) {
    await emulator.close();
    throw new Failure(`${fullName(target)} could not be made on the emulated GitHub: ${describeError(error)}`, {
      cause: error,
    });
  }
  return { apiUrl: emulator.url, url: emulator.url, token, close: () => emulator.close() };
}

interface Running {
  ready: ReadyInstance;
  admin: Endpoint;
  close(): Promise<void>;
}

/** What of this process's environment the Worker gets of its model's configuration. */
function modelBindings(env: NodeJS.ProcessEnv): Record<string, string> {
  const given = MODEL_VARIABLES.flatMap((name) => (env[name] ? [[name, env[name]] as const] : []));
  return Object.fromEntries(given);
}

async function run(target: ProjectTarget, folder: StateFolder): Promise<Running> {
  const ports = folder.readJson(PORTS_FILE, Ports) ?? FIRST_PORTS;
  const runtimeModule = import("./local-runtime.ts"); // the slowest import, beside the emulator's start
  const emulated = target.source !== null;
  const github = emulated ? await emulatedGitHub(target, ports.github, folder) : realGitHub(target);
  const closing: (() => Promise<void>)[] = [() => github.close()];
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).toReversed()) await step().catch(() => {});
  };
  try {
    const { startLocalRuntime } = await runtimeModule;
    const token = localApiToken(folder);
    const model = modelBindings(process.env);
    const runtime = await startLocalRuntime({
      // Work left over from one GitHub must never go on with the other.
      stateDir: folder.file(emulated ? "worker" : "worker-github"),
      port: ports.worker,
      exitOnSignal: false,
      bindings: { API_TOKEN: token, GITHUB_API_URL: github.apiUrl, GITHUB_TOKEN: github.token, ...model },
    });
    closing.push(() => runtime.close());
    const port = (url: string) => Number(new URL(url).port) || 0;
    folder.writeJson(PORTS_FILE, { worker: port(runtime.url), github: emulated ? port(github.url) : ports.github });

    const admin = { url: runtime.url, token };
    const account = localAccount();
    const { project, conversation } = await call(SetupAnswer, admin, "POST", "/api/setup", {
      organisation: "default",
      account,
      name: account,
      project: { name: target.project, repository: fullName(target) },
      conversation: target.project,
    });
    const ready = {
      url: runtime.url,
      githubUrl: github.url,
      emulated,
      model: "ANTHROPIC_API_KEY" in model,
      repository: fullName(target),
      project,
      account,
      conversation,
    };
    return { ready, admin, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Aborts at the first signal that asks this process to end; a second one ends it at once. */
function endingSignal(): AbortSignal {
  const controller = new AbortController();
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(code);
      controller.abort();
    });
  }
  return controller.signal;
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener("abort", () => done(), { once: true });
  });

async function chat(
  ready: ReadyInstance,
  admin: Endpoint,
  folder: StateFolder,
  options: StartOptions,
  signal: AbortSignal,
  ended?: AbortSignal,
): Promise<number> {
  const token = await localTerminalToken(admin, ready.account);
  const common = { endpoint: { url: ready.url, token }, conversation: ready.conversation, ...(ended && { ended }) };
  const { stdin, stdout, stderr } = process;
  const toStreams = { ...common, output: stdout, errors: stderr, timeoutMs: options.timeoutMs };
  if (options.once !== undefined) {
    return Promise.race([chatWith([options.once], { ...toStreams, everything: false }), aborted(signal).then(() => 1)]);
  }
  if (stdin.isTTY && stdout.isTTY)
    return chatInteractively({ ...common, folder, input: stdin, output: stdout, signal });

  let messages = 0;
  async function* counted(): AsyncGenerator<string> {
    for await (const line of linesOf(stdin)) {
      if (line.trim() !== "") messages += 1;
      yield line;
    }
    // Nothing was piped in: this is a server whose input is closed, and runs until it is told to end.
    if (messages === 0) await aborted(signal);
  }
  return Promise.race([
    chatWith(counted(), { ...toStreams, everything: true }),
    aborted(signal).then(() => (messages === 0 ? 0 : 1)),
  ]);
}

/** `codespar start`: everything on this machine, and a chat with it. Resolves to the exit code. */
export async function start(options: StartOptions): Promise<number> {
  if (options.repo !== undefined) refuseStateInside(options.repo, stateFolderPath());
  const folder = openStateFolder();
  const target = resolveTarget(options, folder);
  if (target.source === null) ownGitHubToken(target); // before anything is started for nothing
  const instance = await claimInstance(folder, {
    waitMs: options.timeoutMs,
    onWait: (pid) => console.error(`Waiting for the end of another CodeSpar (process ${pid}) on ${folder.path} …`),
  });
  const signal = endingSignal();
  const screen = options.once === undefined ? process.stdout : process.stderr;

  if (!instance.mine) {
    const asked = options.repo !== undefined || options.github !== undefined;
    if (asked && instance.ready.repository !== fullName(target)) {
      throw new Failure(
        `CodeSpar already runs on this state folder with ${instance.ready.repository} (process ${instance.pid}). ` +
          `To work on ${fullName(target)}, leave that one first, or run a second one beside it: CODESPAR_STATE_DIR=${folder.path}-2 npm start -- …`,
      );
    }
    screen.write(
      `CodeSpar already runs (process ${instance.pid}, ${instance.ready.url}) with ${instance.ready.repository}: joining its chat.\n`,
    );
    const admin = { url: instance.ready.url, token: localApiToken(folder) };
    return chat(instance.ready, admin, folder, options, signal, endOfInstance(folder));
  }

  process.once("exit", () => instance.release()); // whatever way it ends
  let running: Running | undefined;
  try {
    const starting = run(target, folder);
    running = await starting; // also when it was told to end meanwhile: what has started is closed below
    if (signal.aborted) return 1;
    // With one message it soon ends: nobody should join it.
    if (options.once === undefined) {
      instance.publish(running.ready);
      screen.write(
        `${firstScreen(running.ready, folder.path, target.project === "sample-project", styleOf(screen, process.env))}\n`,
      );
    }
    const code = await chat(running.ready, running.admin, folder, options, signal);
    if (options.once === undefined) screen.write("Stopped. Unfinished work goes on at the next `npm start`.\n");
    else if (running.ready.emulated)
      screen.write("(The emulated GitHub has ended too: `npm start` shows it again at the same address.)\n");
    return code;
  } finally {
    instance.withdraw();
    await running?.close();
  }
}
