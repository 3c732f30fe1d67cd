import { type Socket, connect } from "node:net";
import type { SlackEmulator } from "#emulators/slack/emulator.ts";
import type { Measure } from "./core.ts";
import { type Server, median } from "./load.ts";
import type { Checked } from "./messages.ts";

/** A Slack event until its 200, which comes once it is durable, against the durable floor (worker-floor.ts). */

const LOADS = [
  { connections: 1, events: 150 },
  { connections: 10, events: 500 },
  { connections: 50, events: 1000 },
];
/** One to warm up, and these, in which floor and product take turns. */
const ROUNDS = 5;
/** As many as there are connections: each has a channel of its own. */
const CHANNELS = 50;

export const channelNames = Array.from({ length: CHANNELS }, (_, index) => `c${index}`);

/** One keep-alive connection that sends requests made before the clock runs, one at a time. */
export class Connection {
  readonly #socket: Socket;
  #answer = "";
  #waiting: { resolve: (status: number) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket.setNoDelay(true).setEncoding("latin1");
    socket.on("data", (part) => this.#take(String(part)));
    socket.on("close", () => this.#waiting?.reject(new Error("The server closed the connection.")));
    socket.on("error", (error) => this.#waiting?.reject(error));
  }

  static open(url: string): Promise<Connection> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname);
      socket.once("error", reject);
      socket.once("connect", () => resolve(new Connection(socket)));
    });
  }

  #take(part: string): void {
    this.#answer += part;
    const [head = "", ...rest] = this.#answer.split("\r\n\r\n");
    if (rest.length === 0) return;
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    const body = rest.join("\r\n\r\n");
    if (length === undefined ? !this.#answer.endsWith("0\r\n\r\n") : body.length < Number(length)) return;
    this.#answer = "";
    this.#waiting?.resolve(Number(head.split(" ")[1]));
  }

  /** Resolves to the status once the whole answer is there. */
  send(request: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }
}

function requestText(url: string, path: string, headers: Record<string, string>, body: string): string {
  const lines = Object.entries({
    host: new URL(url).host,
    ...headers,
    "content-length": String(Buffer.byteLength(body)),
  });
  return `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;
}

let written = 0;

/** An `app_mention` as Slack sends it, signed now. Without `ts` it is of a message that is nowhere else. */
export function mention(slack: SlackEmulator, url: string, channelName: string, text: string, ts?: string): string {
  written += 1;
  const channel = slack.channel(channelName).id;
  const at = ts ?? `${1_700_000_000 + written}.000100`;
  const { body, headers } = slack.sign(
    JSON.stringify({
      token: "deprecated-verification-token",
      team_id: slack.team,
      api_app_id: "A0BENCH",
      type: "event_callback",
      event_id: `Ev${written}`,
      event_time: Math.floor(Number(at)),
      authorizations: [{ team_id: slack.team, user_id: slack.bot.id, is_bot: true, is_enterprise_install: false }],
      event: {
        type: "app_mention",
        user: slack.person("anna").id,
        text: `<@${slack.bot.id}> ${text}`,
        ts: at,
        event_ts: at,
        team: slack.team,
        channel,
      },
    }),
  );
  return requestText(url, "/webhooks/slack", headers, body);
}

/** Median milliseconds to an answer, answers a second, and how many had the status that says durable. */
type Sample = { p50: number; perSecond: number; accepted: number };

/** Sends what `requests` has for each connection, all connections at the same time. */
async function sendAll(url: string, requests: string[][], status: number): Promise<Sample> {
  const open = await Promise.all(requests.map(() => Connection.open(url)));
  const latencies: number[] = [];
  let accepted = 0;
  const start = performance.now();
  try {
    await Promise.all(
      open.map(async (connection, index) => {
        for (const request of requests[index] ?? []) {
          const begun = performance.now();
          if ((await connection.send(request)) === status) accepted += 1;
          latencies.push(performance.now() - begun);
        }
      }),
    );
    return { p50: median(latencies), perSecond: (accepted / (performance.now() - start)) * 1000, accepted };
  } finally {
    for (const connection of open) connection.close();
  }
}

function perConnection(
  { connections, events }: (typeof LOADS)[number],
  one: (connection: number) => string,
): string[][] {
  return Array.from({ length: connections }, (_, connection) =>
    Array.from({ length: Math.ceil(events / connections) }, () => one(connection)),
  );
}

const rowsOf = async (url: string): Promise<number> =>
  ((await (await fetch(`${url}/bench/rows`)).json()) as { rows: number }).rows;

/** `undrained` only accepts: nothing is done with what it has stored. */
export async function acknowledgingBench(slack: SlackEmulator, undrained: Server, floor: Server): Promise<Checked> {
  const before = await rowsOf(undrained.url);
  let accepted = 0;
  let sent = 0;
  const measures: Measure[] = [];
  for (const load of LOADS) {
    const samples: { floor: Sample; product: Sample }[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const plain = perConnection(load, (connection) => {
        written += 1;
        const body = JSON.stringify({ id: `slack-${written}`, conversation: `c${connection}`, text: "help" });
        return requestText(floor.url, "/", { "content-type": "application/json" }, body);
      });
      const events = perConnection(load, (connection) =>
        mention(slack, undrained.url, channelNames[connection] ?? "", "help"),
      );
      const sample = {
        floor: await sendAll(floor.url, plain, 202),
        product: await sendAll(undrained.url, events, 200),
      };
      accepted += sample.product.accepted;
      sent += events.flat().length;
      if (round > 0) samples.push(sample);
    }
    const of = (side: "floor" | "product", what: "p50" | "perSecond"): number =>
      median(samples.map((sample) => sample[side][what]));
    const at = `Slack event to 200, ${load.connections} ${load.connections === 1 ? "connection" : "connections"}`;
    measures.push(
      {
        name: `${at}: p50`,
        value: of("product", "p50") / of("floor", "p50"),
        unit: "×",
        goal: "≤ 1.5",
        note: `${of("product", "p50").toFixed(2)} ms, floor ${of("floor", "p50").toFixed(2)} ms`,
      },
      {
        name: `${at}: throughput`,
        value: of("floor", "perSecond") / of("product", "perSecond"),
        unit: "×",
        goal: "≤ 1.5",
        note: `${Math.round(of("product", "perSecond"))}/s, floor ${Math.round(of("floor", "perSecond"))}/s`,
      },
    );
  }
  const rows = (await rowsOf(undrained.url)) - before;
  const counted = `Slack events: ${sent}, acknowledged: ${accepted}, durable rows: ${rows}`;
  console.log(counted);
  return { measures, wrong: sent === accepted && accepted === rows ? [] : [counted] };
}
