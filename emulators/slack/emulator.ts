import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Faults, type Hooks, type LoggedRequest } from "../github/faults.ts";
import { Courier, type Delivery, signAsSlack } from "./delivery.ts";
import { Pace } from "./pace.ts";
import { People } from "./people.ts";
import { type Reply, createAnswers, readArguments, readBody } from "./answers.ts";
import { type Arguments, createWebApi } from "./web-api.ts";
import { type Channel, type Message, type Person, type StoredFile, Workspace } from "./workspace.ts";

export type SlackEmulatorOptions = {
  /** 0 for any. */
  port: number;
  signingSecret: string;
  botToken: string;
  /** Where the app takes events, interactions and commands; null until `pointAt`. */
  appUrl?: string | null;
  /** What the app may do; everything unless given. */
  scopes?: readonly string[];
  /** Slack's times between tries of an event (at once, 1 minute, 5 minutes) are multiplied by this. 1 unless given. */
  retryScale?: number;
  /** How long an answer of the app is waited for. Slack's 3 seconds unless given. */
  answerWithinMs?: number;
  /** Refuses more than Slack takes: a message a second in a channel (with a few more at once), fifty edits a minute. Off unless given. */
  rateLimits?: boolean;
  log?: (line: string) => void;
};

/** A call as it was made, and answered. `error` is Slack's code, or null. */
export type LoggedCall = LoggedRequest & { args: Arguments; error: string | null };

export type SlackEmulator = {
  /** Root of this server, without a slash at the end. */
  url: string;
  /** What SLACK_API_URL wants. */
  apiUrl: string;
  team: string;
  bot: Person & { botId: string };
  /** What people do. */
  people: People;
  /** The person of this name, made when there is none; the same for a channel, with the bot in it. */
  person(name: string): Person;
  channel(name: string): Channel;
  /** The direct conversation of the person of this name with the bot. */
  directChannel(name: string): string;
  /** Everything written, or what the bot alone wrote, oldest first. */
  messages(channel?: string): Message[];
  botMessages(channel?: string): Message[];
  /** A thread's messages, the first one included. */
  thread(channel: string, ts: string): Message[];
  /** The status under a thread, or null. */
  status(channel: string, ts: string): string | null;
  file(name: string): StoredFile | undefined;
  faults: Faults;
  /** Set these to wait, count or stop the world around a call. */
  hooks: Hooks;
  /** The newest calls, oldest first; `status` is null while one runs and when its answer was lost. */
  requests: readonly LoggedCall[];
  /** Every try to hand something to the app. */
  deliveries: readonly Delivery[];
  /** A request signed as Slack signs it, now or at another time, without sending it. */
  sign(body: string, contentType?: string, now?: number): { body: string; headers: Record<string, string> };
  pointAt(appUrl: string | null): void;
  /** Resolves when `check` holds; looks whenever something has happened. Rejects after `withinMs`. */
  until(check: () => boolean, withinMs: number): Promise<void>;
  /** Resolves when nothing is being handed to the app any more. */
  settled(): Promise<void>;
  close(): Promise<void>;
};

const MAX_LOGGED = 5000;

/** Starts a Slack on this machine: the Web API, people who write and click, and events signed as Slack signs them. */
export async function startSlackEmulator(options: SlackEmulatorOptions): Promise<SlackEmulator> {
  const log = options.log ?? (() => undefined);
  const scopes = options.scopes === undefined ? null : new Set(options.scopes);
  const workspace = new Workspace();
  const courier = new Courier({
    signingSecret: options.signingSecret,
    answerWithinMs: options.answerWithinMs ?? 3000,
    retryScale: options.retryScale ?? 1,
  });
  const faults = new Faults();
  const hooks: Hooks = {};
  const requests: LoggedCall[] = [];
  const underWay = new Set<Promise<unknown>>();
  const watchers = new Set<() => void>();
  const happened = () => watchers.forEach((look) => look());
  let appUrl = options.appUrl ?? null;
  let baseUrl = "";
  let count = 0;

  const track = <T>(work: Promise<T>): Promise<T> => {
    underWay.add(work);
    const end = () => {
      underWay.delete(work);
      happened();
    };
    void work.then(end, end);
    return work;
  };
  const people = new People({ workspace, courier, appUrl: () => appUrl, baseUrl: () => baseUrl, track });
  const posts = new Pace({ everyMs: 1000, atOnce: 5 });
  const edits = new Pace({ everyMs: 1200, atOnce: 10 });
  const answer = createAnswers({
    workspace,
    scopes,
    botToken: options.botToken,
    api: createWebApi({
      workspace,
      baseUrl: () => baseUrl,
      scopes,
      pace: (kind, channel) =>
        options.rateLimits ? (kind === "post" ? posts : edits).take(channel, Date.now()) : null,
      posted: (message) => void people.posted(message),
      edited: (message, before) => void people.changed(message, before),
    }),
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path } = new URL(request.url ?? "/", "http://localhost");
    const method = request.method ?? "GET";
    const entry: LoggedCall = { n: ++count, method, path, status: null, args: {}, error: null };
    requests.push(entry);
    if (requests.length > MAX_LOGGED) requests.shift();
    const body = await readBody(request);
    if (path.startsWith("/api/")) entry.args = readArguments(request, body);
    await hooks.onRequest?.(entry);
    const effects = faults.take(entry);
    for (const effect of effects) if (effect.kind === "delay") await sleep(effect.beforeMs ?? 0);
    const scripted = effects.find((effect) => effect.kind === "answer");
    const reply: Reply = scripted
      ? { status: scripted.status, headers: scripted.headers ?? {}, body: scripted.body ?? {} }
      : answer(request, path, body, entry.args);
    entry.error = errorOf(reply.body);
    for (const effect of effects) if (effect.kind === "delay") await sleep(effect.afterMs ?? 0);
    await hooks.onResponse?.({ ...entry, status: reply.status });
    if (effects.some((effect) => effect.kind === "lose-answer")) request.socket.destroy();
    else {
      entry.status = reply.status;
      const malformed = effects.find((effect) => effect.kind === "malformed-body");
      const content = Buffer.isBuffer(reply.body) ? reply.body : JSON.stringify(reply.body);
      response
        .writeHead(reply.status, { "content-type": "application/json; charset=utf-8", ...reply.headers })
        .end(malformed ? (malformed.body ?? "<html>not what was asked for") : content);
    }
    happened();
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
          .end(JSON.stringify({ ok: false, error: "fatal_error" }));
    });
  });
  await new Promise<void>((done, fail) => {
    server.once("error", fail);
    server.listen(options.port, "127.0.0.1", done);
  });
  const address = server.address();
  baseUrl = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : options.port}`;

  const inChannel = (name: string | undefined) => {
    const id = name === undefined ? undefined : workspace.channel(name).id;
    return (message: Message) => id === undefined || message.channel === id;
  };
  return {
    url: baseUrl,
    apiUrl: `${baseUrl}/api/`,
    team: workspace.team,
    bot: workspace.bot,
    people,
    person: (name) => workspace.person(name),
    channel: (name) => workspace.channel(name),
    directChannel: (name) => workspace.direct(workspace.person(name).id).id,
    messages: (channel) => workspace.messages.filter(inChannel(channel)),
    botMessages: (channel) =>
      workspace.messages.filter((message) => message.botId === workspace.bot.botId && inChannel(channel)(message)),
    thread: (channel, ts) => workspace.list(workspace.channel(channel).id, ts),
    status: (channel, ts) => workspace.statuses.get(`${workspace.channel(channel).id}:${ts}`) ?? null,
    file: (name) => [...workspace.files.values()].find((file) => file.name === name || file.id === name),
    faults,
    hooks,
    requests,
    deliveries: courier.deliveries,
    sign: (body, contentType = "application/json", now = Date.now()) =>
      signAsSlack(body, contentType, options.signingSecret, now),
    pointAt(url) {
      appUrl = url;
    },
    until: (check, withinMs) =>
      new Promise<void>((done, fail) => {
        const end = (settle: () => void) => {
          clearTimeout(timer);
          watchers.delete(look);
          settle();
        };
        const look = () => {
          if (check()) end(done);
        };
        const timer = setTimeout(
          () => end(() => fail(new Error("What was waited for did not happen in Slack."))),
          withinMs,
        );
        watchers.add(look);
        look();
      }),
    async settled() {
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
    async close() {
      courier.close();
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      await closed;
      await Promise.allSettled(underWay);
    },
  };
}

function sleep(ms: number): Promise<void> {
  return ms > 0 ? new Promise((done) => setTimeout(done, ms)) : Promise.resolve();
}

function errorOf(body: unknown): string | null {
  const error = typeof body === "object" && body !== null && "error" in body ? body.error : null;
  return typeof error === "string" ? error : null;
}
