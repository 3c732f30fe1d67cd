import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout } from "node:timers/promises";
import { answer } from "./answer.ts";
import { MODELS, presentModel, snapshotOf } from "./models.ts";
import { partsOf, PromptCache, promptTokens } from "./prompt-cache.ts";
import { errorBody, invalid, Refusal } from "./refusal.ts";
import { checkPrompt, checkRequest } from "./request-rules.ts";
import { parseCountRequest, parseMessagesRequest, type MessagesRequest } from "./request-schema.ts";
import { RequestLog, type Hooks, type LoggedRequest } from "./request-log.ts";
import { Script, seen } from "./script.ts";
import { sendMessage } from "./send.ts";

export type ModelEmulatorOptions = {
  /** 0 for any. When it is taken, any is used. */
  port: number;
  /** Without it, every key will do. */
  apiKeys?: readonly string[];
  log?: (line: string) => void;
};

export type ModelEmulator = {
  /** What ANTHROPIC_BASE_URL wants: without a slash at the end. */
  url: string;
  port: number;
  script: Script;
  /** Set these to wait, count or stop the world around a request. */
  hooks: Hooks;
  /** The newest requests, oldest first. */
  requests: readonly LoggedRequest[];
  close(): Promise<void>;
};

const MAX_BODY = 32 * 1024 * 1024;

/** Starts a model on this machine: Anthropic's Messages API, answering what the script says. */
export async function startModelEmulator(options: ModelEmulatorOptions): Promise<ModelEmulator> {
  const script = new Script();
  const hooks: Hooks = {};
  const requests = new RequestLog();
  const cache = new PromptCache();

  async function serve(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    const url = new URL(request.url ?? "/", "http://localhost");
    const route = `${request.method} ${url.pathname}`;
    const body = await readBody(request);
    const entry = requests.add(request.method ?? "", url.pathname, body, response);
    await hooks.onRequest?.(entry);
    try {
      const key = checkHeaders(request, options.apiKeys);
      const beta = url.searchParams.get("beta") === "true";
      if (route === "POST /v1/messages")
        await answerMessages(parseMessagesRequest(readJson(body), beta), key, entry, response);
      else if (route === "POST /v1/messages/count_tokens") {
        const counted = parseCountRequest(readJson(body), beta);
        checkPrompt(counted);
        await send(response, entry, { input_tokens: promptTokens(counted) });
      } else if (request.method === "GET") await send(response, entry, readModels(url.pathname));
      else throw new Refusal(404, "Not Found");
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      entry.status = error.status;
      await hooks.onResponse?.(entry);
      sendJson(response, error.status, errorBody(error.type, error.message, requestId));
    }
  }

  async function answerMessages(
    body: MessagesRequest,
    key: string,
    entry: LoggedRequest,
    response: ServerResponse,
  ): Promise<void> {
    const model = checkRequest(body);
    const reply = await script.take(seen(entry.n, body));
    if (reply?.hold || reply?.delayMs) await wait(response, reply.hold, reply.delayMs ?? 0);
    if (response.destroyed) return;
    if (reply?.error) {
      const { status, type, message = "Said by the script", headers = {} } = reply.error;
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      throw new Refusal(status, message, type);
    }
    const prompt = cache.take(`${key} ${model.id}`, partsOf(body), model.minCacheTokens);
    const answered = answer({ n: entry.n, model: snapshotOf(model), request: body, prompt }, reply);
    entry.status = 200;
    await hooks.onResponse?.(entry);
    await sendMessage({ response, answered, reply, stream: body.stream ?? false, entry, hooks });
  }

  async function send(response: ServerResponse, entry: LoggedRequest, body: unknown): Promise<void> {
    entry.status = 200;
    await hooks.onResponse?.(entry);
    sendJson(response, 200, body);
  }

  let count = 0;
  const server = createServer((request, response) => {
    const requestId = `req_emulated_${++count}`;
    response.setHeader("request-id", requestId);
    serve(request, response, requestId).catch((error: unknown) => {
      if (response.destroyed) return;
      options.log?.(
        `${request.method} ${request.url} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, errorBody("api_error", "Internal server error", requestId));
    });
  });
  const port = await listen(server, options.port);

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    script,
    hooks,
    requests: requests.entries,
    close: async () => {
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function readModels(path: string): unknown {
  const id = /^\/v1\/models\/(.+)$/.exec(path)?.[1];
  if (id !== undefined) {
    const model = MODELS.find((one) => one.id === decodeURIComponent(id));
    if (!model) throw new Refusal(404, `model: ${id}`);
    return presentModel(model);
  }
  if (path !== "/v1/models") throw new Refusal(404, "Not Found");
  const data = MODELS.map((model) => presentModel(model));
  return { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
}

/** The key of the caller. */
function checkHeaders(request: IncomingMessage, apiKeys: readonly string[] | undefined): string {
  const given = request.headers["x-api-key"] ?? request.headers.authorization?.replace(/^Bearer /, "");
  if (typeof given !== "string" || given === "") throw new Refusal(401, "x-api-key header is required");
  if (apiKeys && !apiKeys.includes(given)) throw new Refusal(401, "invalid x-api-key");
  if (!request.headers["anthropic-version"]) throw invalid("anthropic-version: header is required");
  return given;
}

function readJson(body: string | null): unknown {
  if (body === null) throw new Refusal(413, "Request exceeds the maximum size");
  try {
    return JSON.parse(body);
  } catch (error) {
    throw invalid(`The request body is not valid JSON: ${(error as Error).message}`);
  }
}

/** Null when it is too large. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY) chunks.push(chunk);
  }
  return size > MAX_BODY ? null : Buffer.concat(chunks).toString();
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** Waits for both, or until the caller has gone. */
async function wait(response: ServerResponse, held: Promise<unknown> | undefined, ms: number): Promise<void> {
  if (response.destroyed) return;
  const over = new AbortController();
  const gone = once(response, "close", { signal: over.signal });
  const both = Promise.all([held, setTimeout(ms, undefined, { signal: over.signal })]);
  try {
    await Promise.race([both, gone]);
  } finally {
    over.abort();
    await Promise.allSettled([gone]);
    both.catch(() => undefined);
  }
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
