import { createSlackReceiver, createSlackSender } from "#channels/slack.ts";
import type { SlackRendering } from "#channels/slack/render.ts";
import { signAsSlack } from "#emulators/slack/delivery.ts";
import { startSlackEmulator } from "#emulators/slack/emulator.ts";
import { callsOf, refusedBlocks, refusedText } from "#emulators/slack/limits.ts";
import { describeChannel } from "./conformance.ts";
import { replaced, wordsIn } from "./slack-world.ts";

const SECRET = "8f742231b10e8888abcd99yyyzzz85a5";
const NOW = 1_515_449_530_000;
// eslint-disable-next-line no-control-regex -- control characters are the point
const HIDING = /[\p{Bidi_Control}\u0000-\u0008\u000b-\u001f]/u;

describeChannel<SlackRendering>({
  name: "slack",
  fixtures: "slack",
  now: NOW,
  sign({ body, headers }, now) {
    const signed = signAsSlack(body, headers["content-type"] ?? "", SECRET, now).headers;
    return {
      "x-slack-request-timestamp": signed["x-slack-request-timestamp"] ?? "",
      "x-slack-signature": signed["x-slack-signature"] ?? "",
    };
  },
  forgeries: {
    "a body that was changed": (genuine) => ({
      ...genuine,
      rawBody: new TextEncoder().encode(`${new TextDecoder().decode(genuine.rawBody as Uint8Array)} `),
    }),
    "another secret's signature": (genuine) => {
      const body = new TextDecoder().decode(genuine.rawBody as Uint8Array);
      return { ...genuine, headers: new Headers(signAsSlack(body, "", "another secret", genuine.now).headers) };
    },
    "a missing signature": replaced("x-slack-signature", null),
    "a missing timestamp": replaced("x-slack-request-timestamp", null),
    "an empty signature": replaced("x-slack-signature", ""),
    "a signature in another alphabet": replaced("x-slack-signature", `v0=${"é".repeat(64)}`),
    "a signature of the wrong length": replaced("x-slack-signature", "v0=abcdef"),
    "a signature of the wrong version": replaced("x-slack-signature", `v1=${"a".repeat(64)}`),
    "a timestamp that is no number": replaced("x-slack-request-timestamp", "yesterday"),
    "another timestamp": replaced("x-slack-request-timestamp", String(NOW / 1000 + 1)),
    "a request older than five minutes": (genuine) => ({ ...genuine, now: genuine.now + 301_000 }),
    "a request from the future": (genuine) => ({ ...genuine, now: genuine.now - 301_000 }),
  },
  problems: ({ messages, file }) => [
    ...(messages.length > 3 ? ["too many messages"] : []),
    ...(file !== null && file.content === "" ? ["an empty file"] : []),
    ...messages.flatMap(({ text, blocks }) => [
      ...[refusedBlocks(blocks), refusedText(text, true)].flatMap((refused) => (refused ? [refused.error] : [])),
      ...callsOf(text, blocks, "none"),
      ...(text === "" ? ["no text"] : []),
      ...(HIDING.test(`${text} ${wordsIn(blocks)}`) ? ["hidden text"] : []),
      ...(JSON.stringify(blocks).includes('"url":"javascript:') ? ["a link that runs"] : []),
    ]),
  ],
  read({ messages, file }) {
    const actions = messages.flatMap(({ blocks }) =>
      blocks.flatMap((block) => (block.type === "actions" ? block.elements : [])),
    );
    return {
      words: [...messages.map(({ blocks }) => wordsIn(blocks)), file?.content ?? ""].join("\n"),
      actions: actions.map(({ value }) => value),
    };
  },
  async start() {
    const botToken = "xoxb-conformance";
    const slack = await startSlackEmulator({ port: 0, signingSecret: SECRET, botToken });
    const memory = new Map<string, string>();
    const adapter = () => ({
      ...createSlackReceiver({ signingSecret: SECRET }),
      ...createSlackSender({
        botToken,
        apiUrl: slack.apiUrl,
        memory: { get: (id) => memory.get(id) ?? null, set: (id, value) => void memory.set(id, value) },
      }),
    });
    const asked = slack.people.write("ada", "general", "@codespar status");
    return {
      adapter: adapter(),
      restarted: adapter,
      target: {
        channel: "slack",
        conversation: { workspace: slack.team, id: asked.channel, thread: asked.ts },
        replyTo: `${asked.channel}:${asked.ts}`,
      },
      conversation: () => slack.botMessages("general").map(({ blocks, text }) => wordsIn(blocks) || text),
      loseNextAnswer: () =>
        slack.faults.add({ match: { path: /chat\.(postMessage|update)/ }, times: 1, effect: { kind: "lose-answer" } }),
      unreachable() {
        slack.faults.add({ match: {}, effect: { kind: "answer", status: 503, body: "unavailable" } });
        return () => slack.faults.clear();
      },
      end: () => slack.close(),
    };
  },
});
