import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { verifyChain } from "#core/audit-chain.ts";
import { copyAgent } from "#db/copies.ts";
import { AuditLog, sha256 } from "#durable-objects/mailbox/audit-log.ts";
import { Copies } from "#durable-objects/mailbox/copies.ts";
import { Deadlines } from "#durable-objects/mailbox/deadlines.ts";
import { unique } from "../worker/world.ts";
import { inAgent } from "./in-agent.ts";

describe("deadlines", () => {
  /** What is handled at a time. */
  const handled = async (deadlines: Deadlines, now: number): Promise<string[]> => {
    const names: string[] = [];
    await deadlines.run(now, now + 60_000, (name) => void names.push(name));
    return names;
  };
  const HOUR = 3_600_000;
  const inDeadlines = (
    run: (
      deadlines: Deadlines,
      at: { state: DurableObjectState; again: () => Deadlines; start: number },
    ) => Promise<void>,
  ) =>
    inAgent(async ({ db, state }) => {
      state.storage.sql.exec("delete from deadlines");
      await state.storage.deleteAlarm();
      await run(new Deadlines(db, state.storage), {
        state,
        again: () => new Deadlines(db, state.storage),
        start: Date.now() + HOUR,
      });
      await state.storage.deleteAlarm();
    });

  it("set the one alarm for the earliest", () =>
    inDeadlines(async (deadlines, { state, start }) => {
      deadlines.set("later", start + 2000);
      expect(await state.storage.getAlarm()).toBe(start + 2000);
      deadlines.set("sooner", start);
      expect(await state.storage.getAlarm()).toBe(start);
      deadlines.set("latest", start + 9000);
      expect(await state.storage.getAlarm()).toBe(start);
    }));

  it("are taken when they have passed, each once, and the alarm goes to the next", () =>
    inDeadlines(async (deadlines, { state, start }) => {
      deadlines.set("a", start);
      deadlines.set("b", start + 1);
      deadlines.set("c", start + 5000);
      expect(await handled(deadlines, start + 1)).toEqual(["a", "b"]);
      expect(await handled(deadlines, start + 1)).toEqual([]);
      deadlines.rearm();
      expect(await state.storage.getAlarm()).toBe(start + 5000);
    }));

  it("come back when what they are handled with is cut off", () =>
    inDeadlines(async (deadlines, { again, start }) => {
      deadlines.set("a", start);
      await expect(deadlines.run(start, start + 30, () => Promise.reject(new Error("crash")))).rejects.toThrow("crash");
      expect(await handled(again(), start + 29)).toEqual([]);
      expect(await handled(again(), start + 30)).toEqual(["a"]);
    }));

  it("that are set anew while they are handled stay", () =>
    inDeadlines(async (deadlines, { start }) => {
      deadlines.set("a", start);
      await deadlines.run(start, start + 30, () => deadlines.set("a", start + 7));
      expect(await handled(deadlines, start + 7)).toEqual(["a"]);
    }));

  it("outlive the object that set them", () =>
    inDeadlines(async (deadlines, { again, start }) => {
      deadlines.set("a", start);
      deadlines.set("b", start);
      deadlines.clear("b");
      expect(await handled(again(), start)).toEqual(["a"]);
    }));

  it("can be brought forward and not put off by noLaterThan", () =>
    inDeadlines(async (deadlines, { start }) => {
      deadlines.noLaterThan("a", start + 10);
      deadlines.noLaterThan("a", start + 20);
      expect(await handled(deadlines, start + 10)).toEqual(["a"]);
      deadlines.noLaterThan("a", start + 30);
      deadlines.noLaterThan("a", start + 5);
      expect(await handled(deadlines, start + 5)).toEqual(["a"]);
    }));

  it("are as before when the transaction that changed them fails", () =>
    inAgent(async ({ agent, state }) => {
      const start = Date.now() + HOUR;
      const deadlines = agent["deadlines"];
      deadlines.set("watch:kept", start);
      expect(() =>
        agent["transaction"](() => {
          deadlines.clear("watch:kept");
          deadlines.set("watch:never", start);
          throw new Error("no");
        }),
      ).toThrow("no");
      expect((await handled(deadlines, start)).filter((name) => name.startsWith("watch:"))).toEqual(["watch:kept"]);
      await state.storage.deleteAlarm();
    }));
});

describe("the audit chain", () => {
  const fields = (subject: string) => ({
    actor: { kind: "system" as const, id: "test", name: "test" },
    action: "command",
    subject,
    details: {},
  });

  it("has no gap and no trace of a transaction that was rolled back", () =>
    inAgent(({ agent }) => {
      const log = agent["audit"];
      const before = log.head.sequence;
      agent["transaction"](() => log.append(fields("first")));
      expect(() =>
        agent["transaction"](() => {
          log.append(fields("lost"));
          log.append(fields("lost too"));
          throw new Error("no");
        }),
      ).toThrow("no");
      agent["transaction"](() => log.append(fields("second")));
      const { rows } = log.page(1, 100);
      expect(rows.slice(before).map((row) => JSON.parse(row.text).subject)).toEqual(["first", "second"]);
      expect(verifyChain(rows, { sha256, chain: log.chain, checkpoint: log.head })).toMatchObject({
        ok: true,
        entries: before + 2,
      });
    }));

  it("goes on where it was when the object wakes again", () =>
    inAgent(({ db, agent }) => {
      const log = agent["audit"];
      log.append(fields("before"));
      const again = new AuditLog(db, log.chain, Date.now);
      expect(again.head).toEqual(log.head);
      again.append(fields("after"));
      expect(verifyChain(again.page(1, 100).rows, { sha256, checkpoint: again.head })).toMatchObject({ ok: true });
    }));

  it("is handed out in pages that end where it ends", () =>
    inAgent(({ agent }) => {
      const log = agent["audit"];
      while (log.head.sequence < 5) log.append(fields("more"));
      const head = log.head.sequence;
      expect([log.page(1, 2).next, log.page(3, head).next, log.page(head + 1, 5)]).toEqual([
        3,
        null,
        { rows: [], next: null },
      ]);
    }));
});

describe("copies", () => {
  const states = async (organisation: string) =>
    (await env.DB.prepare("select id, state from agents where organisation = ? order by id").bind(organisation).all())
      .results;
  const copyOf = (organisation: string, id: string, state: string) =>
    copyAgent({ organisation, project: "shop", id, kind: "task", state, outcome: null, updatedAt: 1, endedAt: null });

  it("take the newest state, once, however often it changed", () =>
    inAgent(async ({ db, agent, state: { storage } }) => {
      storage.sql.exec("delete from copies");
      const organisation = unique("copied");
      const read = vi.fn((_: string, id: string) => copyOf(organisation, id, "ACTIVE"));
      const copies = new Copies(db, env.DB, agent["audit"], read);
      for (const id of ["a", "a", "b", "a"]) copies.note("agent", id);
      await copies.flush();
      expect(read.mock.calls).toEqual([
        ["agent", "a"],
        ["agent", "b"],
      ]);
      expect([await states(organisation), copies.pending()]).toEqual([
        [
          { id: "a", state: "ACTIVE" },
          { id: "b", state: "ACTIVE" },
        ],
        false,
      ]);
    }));

  it("do not lose a change that comes while they are written", () =>
    inAgent(async ({ db, agent, state: { storage } }) => {
      storage.sql.exec("delete from copies");
      const organisation = unique("copied");
      let state = "IDLE";
      const copies = new Copies(db, env.DB, agent["audit"], (_, id) => copyOf(organisation, id, state));
      copies.note("agent", "a");
      const written = copies.flush();
      // Lets the first state be read and sent.
      await Promise.resolve();
      state = "ACTIVE";
      copies.note("agent", "a");
      await written;
      await copies.flush();
      expect(await states(organisation)).toEqual([{ id: "a", state: "ACTIVE" }]);
    }));

  it("are written one after the other, so that an older state never comes last", () =>
    inAgent(async ({ db, agent, state: { storage } }) => {
      storage.sql.exec("delete from copies");
      const organisation = unique("copied");
      let state = "IDLE";
      let underWay = 0;
      let most = 0;
      const d1 = {
        prepare: env.DB.prepare.bind(env.DB),
        batch: async (statements: D1PreparedStatement[]) => {
          most = Math.max(most, (underWay += 1));
          await env.DB.batch(statements);
          underWay -= 1;
        },
      } as unknown as D1Database;
      const slow = new Copies(db, d1, agent["audit"], (_, id) => copyOf(organisation, id, state));
      slow.note("agent", "a");
      const first = slow.flush();
      state = "ACTIVE";
      slow.note("agent", "a");
      await Promise.all([first, slow.flush(), slow.flush()]);
      expect(most).toBe(1);
      expect(await states(organisation)).toEqual([{ id: "a", state: "ACTIVE" }]);
    }));

  it("stay noted when D1 does not take them, entries of the audit too", () =>
    inAgent(async ({ db, agent, state: { storage } }) => {
      storage.sql.exec("delete from copies");
      const organisation = unique("copied");
      let works = false;
      const d1 = {
        prepare: env.DB.prepare.bind(env.DB),
        batch: (statements: D1PreparedStatement[]) =>
          works ? env.DB.batch(statements) : Promise.reject(new Error("D1 is away")),
      } as unknown as D1Database;
      const log = agent["audit"];
      const copies = new Copies(db, d1, log, (_, id) => copyOf(organisation, id, "IDLE"));
      copies.note("agent", "a");
      await expect(copies.flush()).rejects.toThrow("D1 is away");
      expect(copies.pending()).toBe(true);
      works = true;
      await copies.flush();
      expect(await states(organisation)).toEqual([{ id: "a", state: "IDLE" }]);
      const { results } = await env.DB.prepare("select sequence from audit_entries where chain = ?")
        .bind(log.chain)
        .all();
      expect(results).toHaveLength(log.head.sequence);
    }));
});
