import { createServer } from "node:http";
import { createSlackReceiver } from "#channels/slack.ts";
import type { Parsed } from "#channels/adapter.ts";
import type { NormalizedMessage } from "#core/message.ts";
import { type SlackEmulator, type SlackEmulatorOptions, startSlackEmulator } from "#emulators/slack/emulator.ts";

export const SECRET = "a signing secret";
const TOKEN = "xoxb-emulated-token";

export type SlackApp = {
  slack: SlackEmulator;
  /** What the app read of each request, in the order they came. */
  heard: { parsed: Parsed; retry: string | null; reason: string | null }[];
  messages(): NormalizedMessage[];
  /** Answers of the app, used up one by one; then 200. `null` is none at all. */
  answers: (number | null)[];
  /** Calls a method of the Web API. */
  call(method: string, args: Record<string, unknown>, token?: string): Promise<Record<string, any>>;
  end(): Promise<void>;
};

/** A Slack, and an app that takes what it sends. */
export async function startSlackApp(options: Partial<SlackEmulatorOptions> = {}): Promise<SlackApp> {
  const heard: SlackApp["heard"] = [];
  const answers: SlackApp["answers"] = [];
  const receiver = createSlackReceiver({ signingSecret: SECRET });
  const app = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const headers = new Headers(request.headers as Record<string, string>);
      const incoming = { rawBody: Buffer.concat(chunks), headers, now: Date.now() };
      if (!receiver.verify(incoming).ok) return response.writeHead(401).end();
      const parsed = receiver.parse(incoming);
      heard.push({ parsed, retry: headers.get("x-slack-retry-num"), reason: headers.get("x-slack-retry-reason") });
      const status = answers.shift();
      if (status === null) return undefined;
      return response.writeHead(status ?? 200, parsed.acknowledge.headers).end(parsed.acknowledge.body);
    });
  });
  await new Promise<void>((done) => app.listen(0, "127.0.0.1", done));
  const address = app.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const slack = await startSlackEmulator({
    port: 0,
    signingSecret: SECRET,
    botToken: TOKEN,
    appUrl: `http://127.0.0.1:${port}/webhooks/slack`,
    retryScale: 0.0001,
    ...options,
  });
  return {
    slack,
    heard,
    answers,
    messages: () => heard.flatMap(({ parsed }) => (parsed.kind === "messages" ? parsed.messages : [])),
    async call(method, args, token = TOKEN) {
      const response = await fetch(`${slack.apiUrl}${method}`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(args),
      });
      const answer = (await response.json()) as object;
      return { status: response.status, retryAfter: response.headers.get("retry-after"), ...answer };
    },
    async end() {
      await slack.close();
      app.closeAllConnections();
      await new Promise((done) => app.close(done));
    },
  };
}
