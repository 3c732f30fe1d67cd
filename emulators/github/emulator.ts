import { mkdir } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join, resolve } from "node:path";
import { createApi } from "./api.ts";
import type { Caller, Reply } from "./endpoint.ts";
import { Faults, type Hooks, type LoggedRequest } from "./faults.ts";
import { createGit, requireGit } from "./git.ts";
import type { HostedRepository } from "./hosted-repository.ts";
import { renderPage } from "./pages.ts";
import { Repositories, type NewRepository } from "./repositories.ts";

export type GitHubEmulatorOptions = {
  /** Everything is kept below this directory. */
  stateDir: string;
  /** 0 for any. When it is taken, any is used. */
  port: number;
  tokens: Record<string, Caller>;
  log?: (line: string) => void;
};

export type GitHubEmulator = {
  /** Root of API and pages, without a slash at the end: what GITHUB_API_URL wants. */
  url: string;
  /** Makes a repository, or leaves the one that is there as it is. Throws InvalidInputError. */
  create(
    owner: string,
    name: string,
    from: NewRepository,
  ): Promise<{ fullName: string; htmlUrl: string; directory: string }>;
  faults: Faults;
  /** Set these to wait, count or stop the world around a request. */
  hooks: Hooks;
  /** The newest requests, oldest first; `status` is null while one runs and when its answer was lost. */
  requests: readonly LoggedRequest[];
  /** Writes done so far, by endpoint ("POST /repos/{owner}/{repo}/git/refs"). */
  writes: ReadonlyMap<string, number>;
  close(): Promise<void>;
};

/** GitHub's own messages are far smaller; a body past this is a mistake. */
const MAX_BODY = 64 * 1024 * 1024;
const MAX_LOGGED = 1000;

/** Starts a GitHub on this machine: its REST API and pages to look at, over real git. */
export async function startGitHubEmulator(options: GitHubEmulatorOptions): Promise<GitHubEmulator> {
  const log = options.log ?? (() => undefined);
  const stateDir = resolve(options.stateDir);
  await mkdir(stateDir, { recursive: true });
  const git = createGit(stateDir);
  await requireGit(git);
  const repositories = new Repositories(git, join(stateDir, "repositories"), log);
  await repositories.load(timestamp());

  const faults = new Faults();
  const hooks: Hooks = {};
  const requests: LoggedRequest[] = [];
  const writes = new Map<string, number>();
  const api = createApi({ repositories, tokens: options.tokens, writes });
  let baseUrl = "";
  let count = 0;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = new URL(request.url ?? "/", "http://localhost");
    const method = request.method ?? "GET";
    const entry: LoggedRequest = { n: ++count, method, path: target.pathname, status: null };
    requests.push(entry);
    if (requests.length > MAX_LOGGED) requests.shift();
    const body = await readBody(request);
    if (!api.serves(target.pathname)) {
      const page = isLocal(request.headers.host)
        ? await renderPage(target.pathname, repositories, baseUrl, timestamp())
        : null;
      entry.status = page?.status ?? 403;
      response.writeHead(entry.status, PAGE_HEADERS).end(page?.html ?? "This address is not served here.");
      return;
    }

    await hooks.onRequest?.(entry);
    const effects = faults.take(entry);
    for (const effect of effects) if (effect.kind === "delay") await sleep(effect.beforeMs ?? 0);
    const scripted = effects.find((effect) => effect.kind === "answer");
    const reply: Reply =
      scripted ??
      (await api.answer({
        method,
        url: target,
        authorization: request.headers.authorization,
        body,
        baseUrl,
        effects,
        now: timestamp(),
      }));
    for (const effect of effects) if (effect.kind === "delay") await sleep(effect.afterMs ?? 0);
    await hooks.onResponse?.({ ...entry, status: reply.status });
    if (effects.some((effect) => effect.kind === "lose-answer")) {
      request.socket.destroy();
      return;
    }
    entry.status = reply.status;
    const malformed = effects.find((effect) => effect.kind === "malformed-body");
    const headers = {
      "content-type": "application/json; charset=utf-8",
      "x-github-request-id": `emulated-${entry.n}`,
      ...reply.headers,
    };
    if (reply.status === 204) response.writeHead(204, reply.headers).end();
    else
      response
        .writeHead(reply.status, headers)
        .end(malformed ? (malformed.body ?? "<html>not what was asked for") : JSON.stringify(reply.body ?? {}));
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      log(
        `${request.method} ${request.url} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      if (response.headersSent) response.destroy();
      else
        response
          .writeHead(500, { "content-type": "application/json" })
          .end(JSON.stringify({ message: "Server Error", documentation_url: "" }));
    });
  });
  const port = await listen(server, options.port);
  baseUrl = `http://127.0.0.1:${port}`;

  return {
    url: baseUrl,
    async create(owner, name, from) {
      const made: HostedRepository = await repositories.create(owner, name, from);
      return { fullName: made.fullName, htmlUrl: `${baseUrl}/${made.fullName}`, directory: made.git.directory };
    },
    faults,
    hooks,
    requests,
    writes,
    close: async () => {
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      await closed;
      // What is being written is finished, so that nothing outlives this.
      await Promise.all(repositories.list().map((repository) => repository.exclusively(async () => undefined)));
    },
  };
}

const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** Pages need no token, so they answer only to names that no foreign web page can point here. */
function isLocal(host: string | undefined): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host ?? "");
}

function timestamp(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, "Z");
}

function sleep(ms: number): Promise<void> {
  return ms > 0 ? new Promise((done) => setTimeout(done, ms)) : Promise.resolve();
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Error("The request's body is too large.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function listen(server: ReturnType<typeof createServer>, preferred: number): Promise<number> {
  return new Promise((done, fail) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (preferred !== 0 && (error.code === "EADDRINUSE" || error.code === "EACCES"))
        listen(server, 0).then(done, fail);
      else fail(error);
    });
    server.listen(preferred, "127.0.0.1", () => {
      server.removeAllListeners("error");
      const address = server.address();
      done(typeof address === "object" && address !== null ? address.port : preferred);
    });
  });
}
