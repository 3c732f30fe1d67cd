import type { DeliveryMemory, IncomingRequest } from "#channels/adapter.ts";
import { type SlackSender, createSlackSender } from "#channels/slack.ts";
import { type SlackEmulator, type SlackEmulatorOptions, startSlackEmulator } from "#emulators/slack/emulator.ts";
import type { NormalizedResponse } from "#core/delivery.ts";
import type { Block } from "#core/response.ts";
import { response } from "./samples.ts";

const SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5";
export const BOT_TOKEN = "xoxb-emulated-token";

/** Makes a request with one header replaced, or taken away. */
export const replaced =
  (name: string, value: string | null) =>
  (genuine: IncomingRequest): IncomingRequest => ({
    ...genuine,
    headers: { get: (asked) => (asked === name ? value : genuine.headers.get(asked)) },
  });

/** What a person reads in blocks: all their texts, one after the other. */
export function wordsIn(blocks: unknown): string {
  const words: string[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    else if (typeof value === "object" && value !== null) {
      for (const [key, each] of Object.entries(value)) {
        if ((key === "text" || key === "url" || key === "alt_text") && typeof each === "string") words.push(each);
        else walk(each);
      }
    }
  };
  walk(blocks);
  return words.join(" ");
}

export type SlackWorld = {
  slack: SlackEmulator;
  /** What the sender remembers; kept over restarts. */
  memory: Map<string, string>;
  sender: SlackSender;
  /** Another sender with the same memory, as after a restart; another token, if that is what is tried. */
  restarted(token?: string): SlackSender;
  /** Somebody's mention, and a response to it. */
  asked: { channel: string; ts: string };
  reply(of: Partial<NormalizedResponse>): NormalizedResponse;
  say(words: string, of?: Partial<NormalizedResponse>): NormalizedResponse;
  /** What the bot's messages say, in order. */
  said(): string[];
  calls(method: string): number;
};

/** A Slack with one mention in `#general`, and a sender for the bot. */
export async function startSlackWorld(options: Partial<SlackEmulatorOptions> = {}): Promise<SlackWorld> {
  const slack = await startSlackEmulator({ port: 0, signingSecret: SIGNING_SECRET, botToken: BOT_TOKEN, ...options });
  const memory = new Map<string, string>();
  const kept: DeliveryMemory = { get: (id) => memory.get(id) ?? null, set: (id, value) => void memory.set(id, value) };
  const restarted = (botToken = BOT_TOKEN) => createSlackSender({ botToken, apiUrl: slack.apiUrl, memory: kept });
  const asked = slack.people.write("ada", "general", "@codespar fix the login");
  const conversation = { workspace: slack.team, id: asked.channel, thread: asked.ts };
  const reply = (of: Partial<NormalizedResponse>) =>
    response({ target: { channel: "slack", conversation, replyTo: `${asked.channel}:${asked.ts}` }, ...of });
  return {
    slack,
    memory,
    sender: restarted(),
    restarted,
    asked,
    reply,
    say: (words, of = {}) => reply({ blocks: [{ type: "text", text: words } satisfies Block], ...of }),
    said: () => slack.botMessages().map(({ blocks, text }) => wordsIn(blocks) || text),
    calls: (method) => slack.requests.filter(({ path }) => path === `/api/${method}`).length,
  };
}
