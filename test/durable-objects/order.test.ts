import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { toPlainText } from "#core/response.ts";
import type { TerminalMessage } from "#core/terminal-protocol.ts";
import { connect, tokenOf } from "../worker/client.ts";
import {
  eventually,
  finalReply,
  gitHub,
  messageOf,
  newRepository,
  newWorld,
  openPullRequest,
  type Person,
  rowsOf,
  type World,
} from "../worker/world.ts";

afterEach(() => vi.restoreAllMocks());

type Line = readonly [id: string, text: string];
const numbered = (texts: readonly string[]): Line[] => texts.map((text, index) => [`d${index}`, text]);
const wordsOf = ({ blocks }: TerminalMessage): string => toPlainText(blocks);

/** A terminal that acknowledges what it is shown, as a real one does. */
async function terminalOf(person: Person) {
  const terminal = await connect(tokenOf(person.account, person.name), person.conversation);
  const finals = () =>
    terminal.events.filter((event): event is TerminalMessage => event.type === "message" && event.kind === "final");
  terminal.socket.addEventListener("message", ({ data }) => {
    const event = JSON.parse(String(data)) as TerminalMessage;
    if (event.type === "message") terminal.ack(event);
  });
  return {
    finals,
    /** Sends them all without waiting for anything in between. */
    burst: (lines: readonly Line[]) => {
      for (const [id, text] of lines) terminal.send({ type: "message", id, text });
    },
    finalOf: terminal.finalOf,
    ping: () => terminal.ping(),
  };
}

type Statement = { params: unknown[]; raw: () => Promise<unknown[]> };

/** Lets the first lookup of a conversation's route wait for its answer until it is released. */
function holdFirstLookup({ account, conversation }: Person) {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let held = 0;
  const prototype = Object.getPrototypeOf(env.DB.prepare("select 1")) as Statement;
  const raw = Object.getOwnPropertyDescriptor(prototype, "raw")?.value as Statement["raw"];
  vi.spyOn(prototype, "raw").mockImplementation(async function (this: Statement) {
    if (held === 0 && JSON.stringify(this.params).includes(`${account}:${conversation}`)) {
      held += 1;
      await released;
    }
    return raw.call(this);
  });
  return { release, held: () => held };
}

/** The ways that a burst of messages comes in, and how its finals are waited for. */
const ways = {
  "over the WebSocket": async (_: World, person: Person, lines: readonly Line[]) => {
    const terminal = await terminalOf(person);
    terminal.burst(lines);
    for (const [id] of lines) await terminal.finalOf(id);
    return terminal.finals();
  },
  "straight to the agent": async ({ project }: World, person: Person, lines: readonly Line[]) => {
    await Promise.all(lines.map(([id, text]) => project.receive(messageOf(person, text, id))));
    return Promise.all(lines.map(([id]) => finalReply(person, id)));
  },
} as const;
const WAYS = Object.keys(ways) as (keyof typeof ways)[];

const decisionsOf = async (world: World): Promise<unknown[]> =>
  (await world.entries()).filter(({ action }) => action === "decision").map(({ details }) => details["delivery"]);

describe("what is written in one conversation is worked on in its order", () => {
  it.for(WAYS)("whether it changes rights, tasks or nothing, sent %s when nobody is known yet", async (way) => {
    const world = await newWorld();
    await world.hold();
    const levels = [1, 2, 3, 4, 5].map((level) => `autonomy L${level}`);
    const lines = numbered([...levels, "register Ada", "fix the login", "stop", "config"]);
    const finals = await ways[way](world, world.anna, lines);

    expect(await decisionsOf(world)).toEqual(lines.map(([id]) => id));
    const set = (await world.organisationEntries()).filter(({ action }) => action === "autonomy");
    expect(set.map(({ details }) => details["to"])).toEqual([2, 3, 4, 5]);
    const words = Object.fromEntries(finals.map((final) => [final.inReplyTo, wordsOf(final)]));
    const [task] = await world.tasks();
    expect((await world.specOf(task?.id ?? "")).requestedBy.name).toBe("Ada");
    expect([words["d0"], words["d4"]]).toEqual([
      expect.stringContaining("at L1 already"),
      expect.stringContaining("was L4"),
    ]);
    expect(words["d6"]).toContain("was stopped by Ada");
    expect(words["d7"]).toContain(`Stopped ${task?.id}`);
    expect(words["d8"]).toContain("Autonomy: L5");
    for (const [id] of lines) expect(await world.finals(id)).toHaveLength(1);
    await world.release();
  });

  it.for(WAYS)("so that what follows a link is for the new project, sent %s", async (way) => {
    const world = await newWorld();
    const repository = await newRepository();
    const other = repository.split("/")[1] ?? "";
    const lines = numbered([`link ${repository}`, "whoami", "status", "config"]);
    const finals = await ways[way](world, world.anna, lines);

    const agent = env.PROJECT_AGENT.getByName(`${world.organisation}/${other}`);
    for (const [id] of lines.slice(1)) {
      expect(await world.finals(id, [agent])).toHaveLength(1);
      expect(await world.finals(id)).toEqual([]);
    }
    expect(wordsOf(finals[2] as TerminalMessage)).toContain(`Project: ${other}`);
    const after = finals.map(({ inReplyTo }) => inReplyTo).filter((id) => id !== "d0");
    expect(after).toEqual(["d1", "d2", "d3"]);
  });

  it("and its replies are shown in that order, also when nobody is known yet", async () => {
    const world = await newWorld({ onGitHub: false });
    const lines = numbered(["status", "autonomy L3", "whoami", "help", "nonsense", "permissions", "config", "logs"]);
    const finals = await ways["over the WebSocket"](world, world.anna, lines);
    expect(finals.map(({ inReplyTo }) => inReplyTo)).toEqual(lines.map(([id]) => id));
  });

  it("also when it takes long to find out where the first belongs", async () => {
    const world = await newWorld({ onGitHub: false });
    const terminal = await terminalOf(world.anna);
    const lookup = holdFirstLookup(world.anna);
    terminal.burst(numbered(["whoami", "config"]));
    await terminal.ping();
    // Whatever the second may have asked of the database by now is answered before this.
    await env.DB.prepare("select 1").first();
    lookup.release();
    for (const id of ["d0", "d1"]) await terminal.finalOf(id);
    expect(lookup.held()).toBe(1);
    expect(await decisionsOf(world)).toEqual(["d0", "d1"]);
  });

  it("as far as tasks are concerned too: twelve start in the order they were asked for", async () => {
    const world = await newWorld();
    await world.hold();
    const lines = numbered(Array.from({ length: 12 }, (_, index) => `fix fault ${index}`));
    const terminal = await terminalOf(world.anna);
    terminal.burst(lines);
    await eventually(async () => expect(await world.tasks()).toHaveLength(12));
    const statuses = (await world.tasks()).map(({ status }) => status);
    expect(statuses).toEqual(lines.map((_, index) => (index < 3 ? "running" : "queued")));

    await world.release();
    for (const [id] of lines) expect(wordsOf(await terminal.finalOf(id))).toContain("✓ Simulated");
    const started = await rowsOf<{ delivery: string }>(
      world.project,
      "select in_reply_to as delivery from tasks order by started_at, decision_sequence",
    );
    expect(started.map(({ delivery }) => delivery)).toEqual(lines.map(([id]) => id));
  });
});

describe("a message that takes long", () => {
  const isHeld = (world: World) =>
    eventually(async () => expect(await gitHub("/held", { repository: world.repository })).toBeGreaterThan(0));

  it.for(["prs", "status build"])("and only looks, `%s`, does not delay what follows it", async (slow) => {
    const world = await newWorld();
    await world.hold();
    const terminal = await terminalOf(world.anna);
    terminal.burst([
      ["slow", slow],
      ["help", "help"],
      ["stop", "stop"],
    ]);
    await isHeld(world);
    for (const id of ["help", "stop"]) await terminal.finalOf(id);
    expect(terminal.finals().map(({ inReplyTo }) => inReplyTo)).toEqual(["help", "stop"]);
    await world.release();
    expect(await terminal.finalOf("slow")).toMatchObject({ ok: true });
  });

  it("and changes something keeps its place, and holds up no other conversation", async () => {
    const world = await newWorld();
    const number = await openPullRequest(world.repository, { "src/login.ts": "export const timeout = 30;\n" });
    const elsewhere = await world.link({ ...world.anna, conversation: "elsewhere" });
    await world.hold();
    const terminal = await terminalOf(world.anna);
    terminal.burst([
      ["merge", `merge PR #${number}`],
      ["prs", "prs closed"],
    ]);
    await isHeld(world);
    expect((await world.ask(elsewhere, "autonomy L3")).ok).toBe(true);
    expect(terminal.finals()).toEqual([]);
    await world.release();
    expect(await terminal.finalOf("merge")).toMatchObject({ ok: true });
    // What was asked after the merge sees it.
    expect(wordsOf(await terminal.finalOf("prs"))).toContain(`#${number} A change (merged`);
  });
});
