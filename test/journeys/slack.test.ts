import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type SlackEmulator, startSlackEmulator } from "#emulators/slack/emulator.ts";
import { git, type Stack, startStack } from "./stack.ts";

/** Slack, from the first mention to a merged-ready pull request, over Slack's wire protocol. */
const SIGNING_SECRET = "signing-secret-for-tests";
const BOT_TOKEN = "xoxb-token-for-tests";
const WITHIN_MS = 30_000;

let slack: SlackEmulator;
let stack: Stack;

beforeAll(async () => {
  slack = await startSlackEmulator({
    port: 0,
    signingSecret: SIGNING_SECRET,
    botToken: BOT_TOKEN,
    answerWithinMs: 1000,
    retryScale: 0.005,
  });
  stack = await startStack({
    account: "anna",
    bindings: {
      SLACK_SIGNING_SECRET: SIGNING_SECRET,
      SLACK_BOT_TOKEN: BOT_TOKEN,
      SLACK_API_URL: slack.apiUrl,
      WATCHDOG_MS: "1500",
    },
  });
  slack.pointAt(`${stack.runtime.url}/webhooks/slack`);
  const { code } = (await (await stack.api("POST", "/api/claim-codes", {})).json()) as { code: string };
  await says("bea", "team", `@codespar claim ${code}`, /owner/);
  await says("bea", "team", "@codespar link local/shop", /linked to local\/shop/);
});

afterEach(() => {
  slack.faults.clear();
  delete slack.hooks.onRequest;
  delete slack.hooks.onResponse;
});

afterAll(async () => {
  await stack.close();
  await slack.close();
});

/** What the bot says in a thread, one text a message, as it stands now. */
const answers = (channel: string, ts: string): string[] =>
  slack.thread(slack.channel(channel).id, ts).flatMap(({ botId, text }) => (botId === null ? [] : [text]));

/** Writes in a channel and waits for an answer in its thread that fits; returns the thread. */
async function says(person: string, channel: string, text: string, answer: RegExp, thread?: string): Promise<string> {
  const written = slack.people.write(person, channel, text, thread === undefined ? {} : { thread });
  const ts = thread ?? written.ts;
  await slack
    .until(() => answers(channel, ts).some((said) => answer.test(said)), WITHIN_MS)
    .catch(() => expect(answers(channel, ts), `an answer like ${answer} to “${text}”`).toContain(answer));
  return ts;
}

const branchIn = (texts: string[]): string => /codespar\/task-[a-z0-9]{8}/.exec(texts.join("\n"))?.[0] ?? "none";

describe("a team in Slack", () => {
  it("gets a pull request for a mention, in one message of its thread, edited as the work goes on", async () => {
    const ts = await says("bea", "team", "@codespar fix the login timeout", /Pull request/);
    const messages = slack.thread(slack.channel("team").id, ts).filter(({ botId }) => botId !== null);
    expect(messages).toHaveLength(1);
    expect(messages[0]?.edits).toBeGreaterThan(0);
    const branch = branchIn(answers("team", ts));
    expect(git(stack.repository, "rev-list", "--count", `main..${branch}`)).toBe("1");
    expect(git(stack.repository, "log", "-1", "--format=%B", branch)).toMatch(/Asked for by bea/i);
  });

  it("is not answered when people talk, but an exact command in the bot's thread counts without a mention", async () => {
    const ts = await says("bea", "team", "@codespar whoami", /owner/);
    const before = slack.botMessages().length;
    await slack.people.write("bea", "team", "status of the release looks fine to me", { thread: ts }).delivered;
    await slack.people.write("bea", "team", "status", { thread: slack.people.write("cem", "team", "lunch?").ts })
      .delivered;
    await says("bea", "team", "status", /Repository/, ts);
    expect(slack.botMessages().length).toBe(before + 1);
  });

  it("is told by whom a task was stopped", async () => {
    const written = slack.people.write("bea", "team", "@codespar instruct do something slow");
    stack.github.faults.add({ match: {}, effect: { kind: "delay", beforeMs: 1500 } });
    await slack.until(() => answers("team", written.ts).some((text) => text.includes("task-")), WITHIN_MS);
    await says("bea", "team", "stop", /stopped by bea|Stopped task-/i, written.ts);
    stack.github.faults.clear();
  });

  it("has no rights as someone never seen before", async () => {
    const ts = await says("dora", "team", "@codespar fix everything", /needs the permission/);
    expect(answers("team", ts)).toHaveLength(1);
  });

  it("in a channel that nobody linked gets only the help it needs", async () => {
    await says("bea", "elsewhere", "@codespar fix the login timeout", /not linked to a project/);
  });

  it("refuses forged and stale signatures, and stores nothing of them", async () => {
    const before = slack.botMessages().length;
    const body = JSON.stringify({
      type: "event_callback",
      event_id: "Ev1",
      event: { type: "app_mention", text: "<@U1> help" },
    });
    const url = `${stack.runtime.url}/webhooks/slack`;
    const signed = slack.sign(body);
    const stale = slack.sign(body, "application/json", Date.now() - 600_000);
    const statuses = await Promise.all(
      [
        { ...signed.headers, "x-slack-signature": "v0=é" },
        { ...signed.headers, "x-slack-signature": `v0=${"0".repeat(64)}` },
        { "content-type": "application/json" },
        stale.headers,
      ].map(async (headers) => {
        const safe = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, encodeURI(value)]));
        return (await fetch(url, { method: "POST", headers: safe, body })).status;
      }),
    );
    expect(statuses).toEqual([401, 401, 401, 401]);
    for (const odd of ["null", "[]", '{"type":"nonsense"}', '"text"']) {
      const { headers } = slack.sign(odd);
      expect((await fetch(url, { method: "POST", headers, body: odd })).status).toBeLessThan(500);
    }
    // Little enough to be sent whole before it is refused: a connection that is cut meanwhile gives fetch no status to tell.
    const large = "x".repeat(1024 * 1024 + 1);
    expect((await fetch(url, { method: "POST", headers: slack.sign(large).headers, body: large })).status).toBe(413);
    expect(slack.botMessages().length).toBe(before);
  });

  it("gets one answer each when fifty people ask at once, with Slack losing answers", async () => {
    slack.faults.add({ match: { path: /chat\.postMessage/ }, times: 5, effect: { kind: "lose-answer" } });
    const asked = Array.from({ length: 50 }, (_, index) => slack.people.direct(`person-${index}`, "help"));
    const answered = () =>
      asked.every(({ channel, ts }) => slack.botMessages().some((said) => said.channel === channel && said.ts > ts));
    await slack.until(answered, 60_000);
    await slack.settled();
    const counts = asked.map(
      ({ channel }) => slack.messages().filter((said) => said.channel === channel && said.botId !== null).length,
    );
    expect(new Set(counts).size).toBe(1);
  });

  it("gets one pull request and one final message, wherever the runtime is killed between calls to Slack", async () => {
    for (const moment of ["onRequest", "onResponse"] as const) {
      for (const at of [0, 1, 2]) {
        let calls = 0;
        slack.hooks[moment] = ({ path }) => {
          if (!path.includes("chat.")) return;
          if (calls === at) stack.kill();
          calls += 1;
        };
        const ts = await says("bea", "team", `@codespar fix the timeout, ${moment} ${at}`, /Pull request/);
        delete slack.hooks[moment];
        const texts = answers("team", ts);
        expect(texts.filter((text) => text.includes("Pull request"))).toHaveLength(1);
        expect(git(stack.repository, "rev-list", "--count", `main..${branchIn(texts)}`)).toBe("1");
      }
    }
  });
});
