import { readFileSync, readdirSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChannelAdapter, IncomingRequest } from "#channels/adapter.ts";
import type { NormalizedResponse } from "#core/delivery.ts";
import { NormalizedMessage } from "#core/message.ts";
import type { Block } from "#core/response.ts";
import { anyBlock } from "./any-block.ts";
import { SAMPLES, response } from "./samples.ts";

/** A request recorded on a platform, trimmed, with invented ids. `body` is sent as JSON, `form` as a form. */
type Fixture = {
  says: string;
  headers: Record<string, string>;
  body?: unknown;
  form?: Record<string, unknown>;
  expected: Record<string, unknown>;
};

type Unsigned = { body: string; headers: Record<string, string> };

/** What a platform shows of one response: its words, all messages and attached files together. */
type Shown = { words: string; actions: string[] };

/** What the suite needs to know of a platform to try its adapter. */
export type ChannelUnderTest<Rendered> = {
  name: string;
  /** Folder of fixtures, below test/fixtures/. */
  fixtures: string;
  /** The time of fixtures, in milliseconds since the epoch. */
  now: number;
  /** Makes the request genuine, as the platform would at `now`. */
  sign(request: Unsigned, now: number): Record<string, string>;
  /** Requests the platform did not make, or not now: made from a genuine one. */
  forgeries: Record<string, (genuine: IncomingRequest) => IncomingRequest>;
  /** Why the platform would refuse this, or show it so that it calls somebody or hides something; empty when it would not. */
  problems(rendered: Rendered): string[];
  /** What a person reads. */
  read(rendered: Rendered): Shown;
  /** Starts the platform's stand-in. */
  start(): Promise<Platform<Rendered>>;
};

export type Platform<Rendered> = {
  adapter: ChannelAdapter<Rendered>;
  /** Another one with the same memory, as after a restart. */
  restarted(): ChannelAdapter<Rendered>;
  target: NormalizedResponse["target"];
  /** What stands in the conversation now: one text per message that is not empty. */
  conversation(): string[];
  /** The next call is done, but its answer does not arrive. */
  loseNextAnswer(): void;
  /** Calls fail until the returned function is called. */
  unreachable(): () => void;
  end(): Promise<void>;
};

/** Runs everything a channel must do. One file per channel calls it (docs/channels.md). */
export function describeChannel<Rendered>(channel: ChannelUnderTest<Rendered>): void {
  describe(`the ${channel.name} channel`, () => {
    let platform: Platform<Rendered>;
    let adapter: ChannelAdapter<Rendered>;
    beforeAll(async () => {
      platform = await channel.start();
      adapter = platform.adapter;
    });
    afterAll(() => platform.end());

    const genuine = (request: Unsigned, now = channel.now): IncomingRequest => ({
      rawBody: new TextEncoder().encode(request.body),
      headers: new Headers({ ...request.headers, ...channel.sign(request, now) }),
      now,
    });
    const fixtures = fixturesOf(channel.fixtures);

    describe("verifies", () => {
      it.each(fixtures)("%s, as the platform sent it", (_, fixture) => {
        expect(adapter.verify(genuine(unsigned(fixture)))).toEqual({ ok: true });
      });
      for (const [forgery, forge] of Object.entries(channel.forgeries)) {
        it(`refuses ${forgery}`, () => {
          for (const [, fixture] of fixtures) {
            expect(adapter.verify(forge(genuine(unsigned(fixture))))).toMatchObject({ ok: false });
          }
        });
      }
      it("whatever comes, without failing", () => {
        const [, sample] = fixtures[0] ?? [];
        const names = Object.keys(channel.sign(unsigned(sample as Fixture), channel.now));
        const value = fc.string({ unit: "binary" });
        fc.assert(
          fc.property(
            fc.array(fc.oneof(value, fc.constant(null)), { maxLength: 4 }),
            fc.uint8Array(),
            (values, rawBody) => {
              const headers = { get: (name: string) => values[names.indexOf(name)] ?? null };
              expect(adapter.verify({ rawBody, headers, now: channel.now }).ok).toBe(false);
            },
          ),
        );
      });
    });

    describe("parses", () => {
      it.each(fixtures)("%s", (_, fixture) => {
        expect(adapter.parse(genuine(unsigned(fixture)))).toMatchObject(fixture.expected);
      });
      it("every message as one that agents can read", () => {
        for (const [, fixture] of fixtures) {
          const parsed = adapter.parse(genuine(unsigned(fixture)));
          for (const message of parsed.kind === "messages" ? parsed.messages : []) {
            expect(NormalizedMessage.parse(message)).toEqual(message);
            expect(message.channel).toBe(channel.name);
          }
        }
      });
      it("a repeat as the same messages", () => {
        for (const [, fixture] of fixtures) {
          const ids = (now: number) => {
            const parsed = adapter.parse(genuine(unsigned(fixture), now));
            return parsed.kind === "messages" ? parsed.messages.map(({ id }) => id) : [];
          };
          expect(ids(channel.now + 60_000)).toEqual(ids(channel.now));
        }
      });
      it.each(["null", "[]", "[null]", '"text"', "7", "{}", "", "{", '{"type":null}', "payload=null", "payload=[]"])(
        "%s as nothing for an agent",
        (body) => {
          for (const [, { headers }] of fixtures)
            expect(adapter.parse(genuine({ body, headers })).kind).toBe("ignored");
        },
      );
      it("any JSON in a known one's place without failing", () => {
        const known = fixtures.flatMap(([, fixture]) => (fixture.body === undefined ? [] : [fixture]));
        fc.assert(
          fc.property(fc.constantFrom(...known), fc.jsonValue(), fc.nat(), (fixture, value, seed) => {
            const body = JSON.stringify(replaceSomewhere(fixture.body, value, seed));
            const parsed = adapter.parse(genuine({ body, headers: fixture.headers }));
            expect(["handshake", "messages", "ignored"]).toContain(parsed.kind);
          }),
        );
      });
    });

    describe("renders", () => {
      it.each(Object.entries(SAMPLES))("%s within the platform's limits, calling nobody", (_, blocks) => {
        expect(channel.problems(adapter.render(response({ blocks })))).toEqual([]);
      });
      it.each(Object.entries(SAMPLES))("%s with all its words", (_, blocks) => {
        const { words } = channel.read(adapter.render(response({ blocks })));
        for (const word of wordsOf(blocks)) expect(words).toContain(word);
      });
      it("actions so that they can be taken", () => {
        const rendered = adapter.render(response({ blocks: SAMPLES["buttons"] ?? [] }));
        expect(channel.read(rendered).actions).toEqual(["approve dp-7k2m9qxw", "reject dp-7k2m9qxw"]);
      });
      it("the same response always in the same way", () => {
        for (const blocks of Object.values(SAMPLES)) {
          expect(adapter.render(response({ blocks }))).toEqual(adapter.render(response({ blocks })));
        }
      });
      it("any blocks within the platform's limits, calling nobody", () => {
        fc.assert(
          fc.property(
            fc.array(anyBlock, { maxLength: 12 }),
            fc.constantFrom("progress" as const, "final" as const),
            (blocks, kind) => {
              expect(channel.problems(adapter.render(response({ blocks, kind })))).toEqual([]);
            },
          ),
          { numRuns: 200 },
        );
      });
    });

    describe("sends", () => {
      const say = (id: string, revision: number, words: string): NormalizedResponse =>
        response({ id, revision, target: platform.target, blocks: [{ type: "text", text: words }] });
      const times = (words: string) => platform.conversation().filter((text) => text.includes(words)).length;

      it.each(Object.entries(SAMPLES))("%s", async (name, blocks) => {
        const sent = await adapter.send(response({ id: `sample ${name}`, target: platform.target, blocks }));
        expect(sent).toEqual({ ok: true });
      });
      it("the same revision once, however often it is told to", async () => {
        for (const again of [adapter, adapter, platform.restarted()]) {
          expect(await again.send(say("once", 1, "said once"))).toEqual({ ok: true });
        }
        expect(times("said once")).toBe(1);
      });
      it("a later revision in the earlier one's place", async () => {
        await adapter.send(say("edited", 1, "the first state"));
        expect(await platform.restarted().send(say("edited", 2, "the second state"))).toEqual({ ok: true });
        expect([times("the first state"), times("the second state")]).toEqual([0, 1]);
      });
      it("once although the answer was lost", async () => {
        platform.loseNextAnswer();
        expect(await adapter.send(say("lost", 1, "the lost answer"))).toMatchObject({ ok: false, retryable: true });
        expect(await platform.restarted().send(say("lost", 1, "the lost answer"))).toEqual({ ok: true });
        expect(times("the lost answer")).toBe(1);
      });
      it("a later revision although the answer to the first was lost", async () => {
        platform.loseNextAnswer();
        await adapter.send(say("lost, then edited", 1, "an early state"));
        expect(await adapter.send(say("lost, then edited", 2, "a late state"))).toEqual({ ok: true });
        expect([times("an early state"), times("a late state")]).toEqual([0, 1]);
      });
      it("later, when the platform cannot be reached", async () => {
        const reachable = platform.unreachable();
        expect(await adapter.send(say("later", 1, "said later"))).toMatchObject({ ok: false, retryable: true });
        reachable();
        expect(await adapter.send(say("later", 1, "said later"))).toEqual({ ok: true });
        expect(times("said later")).toBe(1);
      });
    });
  });
}

function fixturesOf(folder: string): [string, Fixture][] {
  const directory = new URL(`../fixtures/${folder}/`, import.meta.url);
  return readdirSync(directory)
    .filter((name) => name.endsWith(".json"))
    .toSorted()
    .map((name) => {
      const fixture = JSON.parse(readFileSync(new URL(name, directory), "utf8")) as Fixture;
      return [`${name.replace(".json", "")}: ${fixture.says}`, fixture];
    });
}

/** The fixture's request without a signature. */
function unsigned({ headers, body, form }: Fixture): Unsigned {
  if (form === undefined) return { headers, body: JSON.stringify(body) };
  const fields = Object.entries(form).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return { headers, body: new URLSearchParams(fields as [string, string][]).toString() };
}

/** A copy with one value, at some depth, replaced by another. */
function replaceSomewhere(value: unknown, by: unknown, seed: number): unknown {
  if (typeof value !== "object" || value === null || seed % 3 === 2) return by;
  const entries = Object.entries(value);
  const at = seed % Math.max(1, entries.length);
  const changed = entries.map(([key, each], index) => [
    key,
    index === at ? replaceSomewhere(each, by, Math.floor(seed / 3)) : each,
  ]);
  return Array.isArray(value) ? changed.map(([, each]) => each) : Object.fromEntries(changed);
}

/** Words of some length that a person must be able to read. */
const wordsOf = (blocks: readonly Block[]): string[] => [...new Set(JSON.stringify(blocks).match(/\bword\d+\b/g))];
