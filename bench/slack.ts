import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type LocalRuntime, startLocalRuntime } from "#cli/local-runtime.ts";
import { startGitHubEmulator } from "#emulators/github/emulator.ts";
import { type SlackEmulator, startSlackEmulator } from "#emulators/slack/emulator.ts";
import type { Measure } from "./core.ts";
import { type Server, median } from "./load.ts";
import type { Checked } from "./messages.ts";
import { Connection, acknowledgingBench, channelNames, mention } from "./slack-events.ts";
import type { Stage } from "./stage.ts";

/**
 * Slack's way in and out: an event acknowledged (slack-events.ts), and what follows until Slack gets the answer against one call of
 * its Web API. Slack is the emulator on this machine, so its time is next to none.
 */

/** Answers that are timed, each in a channel of its own: a channel is written to once a second only. */
const ANSWERS = 40;
/** The edge keeps where a conversation's messages go for five seconds; a newly linked channel must be known when it is timed. */
const WARM_UP_MS = 6000;
const WITHIN_MS = 20_000;
const SAMPLE = fileURLToPath(new URL("../emulators/sample-project", import.meta.url));

/** Claims the organisation for one person, who links every channel to the project `bench`. */
async function linkChannels(slack: SlackEmulator, { url, token }: Server): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const response = await fetch(`${url}/api/claim-codes`, { method: "POST", headers, body: "{}" });
  const { code } = (await response.json()) as { code: string };
  slack.pointAt(`${url}/webhooks/slack`);
  const answered = (channels: string[], text: RegExp): Promise<void> =>
    slack.until(
      () => channels.every((name) => slack.botMessages(name).some((said) => text.test(said.text))),
      WITHIN_MS,
    );
  const [first = ""] = channelNames;
  slack.people.write("anna", first, `@codespar claim ${code}`);
  await answered([first], /owner/);
  for (const name of channelNames) slack.people.write("anna", name, "@codespar link codespar/bench");
  await answered(channelNames, /linked to codespar\/bench/);
  await slack.settled();
  slack.pointAt(null);
}

/** A Worker that only makes one call to Slack, or with `?none` none. */
const BARE_CALLER = `export default {
  async fetch(request, env) {
    if (new URL(request.url).search === "?none") return new Response("none");
    const answer = await fetch(env.API + "chat.postMessage", {
      method: "POST",
      headers: { authorization: "Bearer " + env.TOKEN, "content-type": "application/json; charset=utf-8" },
      body: JSON.stringify({ channel: env.CHANNEL, text: "one call" }),
    });
    return new Response(await answer.text());
  },
};`;

async function startBareCaller(bindings: Record<string, string>) {
  const { Miniflare, convertV4MiniflareOptions } = await import("miniflare");
  const worker = new Miniflare({
    ...convertV4MiniflareOptions({
      modules: [{ type: "ESModule", path: "bare.js", contents: BARE_CALLER }],
      compatibilityDate: "2026-09-01",
      bindings,
      host: "127.0.0.1",
      cf: false,
    }),
  });
  return { url: (await worker.ready).origin, close: () => worker.dispose() };
}

async function millisecondsOf(call: () => Promise<Response>): Promise<number> {
  const start = performance.now();
  const response = await call();
  await response.text();
  if (!response.ok) throw new Error(`A bare call was answered ${response.status}.`);
  return performance.now() - start;
}

type Answered = { fromAcceptance: number; fromEvent: number };

/** Asks in a channel; resolves once Slack has the answer. Times are until its first `chat.postMessage` arrived. */
async function ask(slack: SlackEmulator, url: string, connection: Connection, name: string): Promise<Answered> {
  const channel = slack.channel(name).id;
  const before = slack.botMessages(name).length;
  const { ts } = slack.people.write("anna", name, "@codespar help");
  const request = mention(slack, url, name, "help", ts);
  const arrived = new Promise<number>((resolve) => {
    slack.hooks.onRequest = ({ path, n }) => {
      const call = slack.requests.findLast((one) => one.n === n);
      if (path === "/api/chat.postMessage" && call?.args["channel"] === channel) resolve(performance.now());
    };
  });
  const start = performance.now();
  const status = await connection.send(request);
  const accepted = performance.now();
  if (status !== 200) throw new Error(`A Slack event was answered ${status}.`);
  await slack.until(() => slack.botMessages(name).length > before, WITHIN_MS);
  const visible = await arrived;
  delete slack.hooks.onRequest;
  return { fromAcceptance: visible - accepted, fromEvent: visible - start };
}

async function answering(slack: SlackEmulator, url: string, botToken: string): Promise<Measure[]> {
  const channel = slack.channel("bare").id;
  const bare = await startBareCaller({ API: slack.apiUrl, TOKEN: botToken, CHANNEL: channel });
  const connection = await Connection.open(url);
  const fromNode = (): Promise<number> =>
    millisecondsOf(() =>
      fetch(`${slack.apiUrl}chat.postMessage`, {
        method: "POST",
        headers: { authorization: `Bearer ${botToken}`, "content-type": "application/json; charset=utf-8" },
        body: JSON.stringify({ channel, text: "one call" }),
      }),
    );
  const fromWorker = async (): Promise<number> =>
    (await millisecondsOf(() => fetch(bare.url))) - (await millisecondsOf(() => fetch(`${bare.url}/?none`)));
  const sample = async (name: string) => ({
    node: await fromNode(),
    worker: await fromWorker(),
    ...(await ask(slack, url, connection, name)),
  });
  try {
    const until = performance.now() + WARM_UP_MS;
    for (let index = ANSWERS; performance.now() < until; index = index + 1 < channelNames.length ? index + 1 : ANSWERS)
      await sample(channelNames[index] ?? "");
    const calls = slack.requests.at(-1)?.n ?? 0;
    const samples: Awaited<ReturnType<typeof sample>>[] = [];
    for (const name of channelNames.slice(0, ANSWERS)) samples.push(await sample(name));
    // Two of a sample's calls are the bare ones.
    const each = ((slack.requests.at(-1)?.n ?? 0) - calls) / ANSWERS - 2;
    const of = (what: keyof (typeof samples)[number]): number => median(samples.map((one) => one[what]));
    const seen = `${of("fromAcceptance").toFixed(2)} ms (${of("fromEvent").toFixed(2)} from the event, ${each.toFixed(1)} calls)`;
    const measure = (who: string, call: number): Measure => ({
      name: `Slack 200 to the first visible call, against a call from ${who}`,
      value: of("fromAcceptance") / call,
      unit: "×",
      goal: "≤ 3",
      note: `${seen}, a bare call ${call.toFixed(2)} ms`,
    });
    return [measure("Node", of("node")), measure("a bare Worker", of("worker"))];
  } finally {
    connection.close();
    await bare.close();
  }
}

export async function slackBench(stage: Stage): Promise<Checked> {
  const [signingSecret = "", botToken = "", token = ""] = [0, 1, 2].map(() => randomBytes(32).toString("hex"));
  const slack = await startSlackEmulator({ port: 0, signingSecret, botToken });
  // A channel is linked to a repository that is there.
  const github = await startGitHubEmulator({
    stateDir: join(stage.folder, "github"),
    port: 0,
    tokens: { [token]: { login: "codespar", permissions: "write" } },
  });
  /** The product and its undrained kind one after the other on the same state: only the first can link channels. */
  const running = async <T>(file: string | null, use: (runtime: LocalRuntime) => Promise<T>): Promise<T> => {
    const runtime = await startLocalRuntime({
      stateDir: join(stage.folder, "slack"),
      bindings: {
        API_TOKEN: token,
        GITHUB_TOKEN: token,
        GITHUB_API_URL: github.url,
        SLACK_SIGNING_SECRET: signingSecret,
        SLACK_BOT_TOKEN: botToken,
        SLACK_API_URL: slack.apiUrl,
      },
      ...(file === null ? {} : { entry: fileURLToPath(new URL(file, import.meta.url)) }),
    });
    try {
      return await use(runtime);
    } finally {
      await runtime.close();
    }
  };
  try {
    await github.create("codespar", "bench", { fromDirectory: SAMPLE });
    const answers = await running(null, async ({ url }) => {
      await linkChannels(slack, { url, token });
      return answering(slack, url, botToken);
    });
    const floor = await stage.start("worker-floor.ts");
    const { measures, wrong } = await running("worker-undrained.ts", ({ url }) =>
      acknowledgingBench(slack, { url, token }, floor),
    );
    return { measures: [...measures, ...answers], wrong };
  } finally {
    await slack.close();
    await github.close();
  }
}
