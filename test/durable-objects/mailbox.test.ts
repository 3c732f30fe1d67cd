import { describe, expect, it } from "vitest";
import { text } from "#core/response.ts";
import { Inbox } from "#durable-objects/mailbox/inbox.ts";
import { Outbox, type Post } from "#durable-objects/mailbox/outbox.ts";
import { messageOf } from "../worker/world.ts";
import { inAgent } from "./in-agent.ts";

const anna = { account: "anna", name: "Anna", conversation: "main" };

describe("the inbox", () => {
  const inInbox = (run: (inbox: Inbox) => void) => inAgent(({ db }) => run(new Inbox(db)));

  it("accepts a delivery once", () =>
    inInbox((inbox) => {
      const message = messageOf(anna, "status", "one");
      expect(
        [inbox.accept(message, 1), inbox.accept(message, 2), inbox.accept({ ...message, text: "other" }, 3)].map(
          (row) => row !== null,
        ),
      ).toEqual([true, false, false]);
      expect(inbox.next(0, 10).map((row) => row.message.text)).toEqual(["status"]);
    }));

  it("takes the same delivery id in another conversation for another delivery", () =>
    inInbox((inbox) => {
      expect(inbox.accept(messageOf(anna, "status", "one"), 1)).not.toBeNull();
      expect(inbox.accept(messageOf({ ...anna, conversation: "other" }, "status", "one"), 1)).not.toBeNull();
      expect(inbox.accept({ ...messageOf(anna, "status", "one"), channel: "slack" }, 1)).not.toBeNull();
    }));

  it("gives what is unfinished, oldest first, being handed over or not", () =>
    inInbox((inbox) => {
      for (const id of ["a", "b", "c", "d"]) inbox.accept(messageOf(anna, id, id), 1);
      const [a, b] = inbox.next(0, 10);
      inbox.finish(a?.sequence ?? 0);
      inbox.markHandedOver(b?.sequence ?? 0);
      expect(inbox.next(0, 10).map(({ message }) => message.id)).toEqual(["b", "c", "d"]);
      expect(inbox.next(b?.sequence ?? 0, 1).map(({ message }) => message.id)).toEqual(["c"]);
    }));

  it("still knows a finished delivery, until it is pruned", () =>
    inInbox((inbox) => {
      const message = messageOf(anna, "status", "one");
      inbox.accept(message, 1000);
      inbox.finish(inbox.next(0, 1)[0]?.sequence ?? 0);
      inbox.prune(1000);
      expect(inbox.accept(message, 2000)).toBeNull();
      inbox.prune(1001);
      expect(inbox.accept(message, 2000)).not.toBeNull();
    }));

  it("never prunes what is unfinished", () =>
    inInbox((inbox) => {
      inbox.accept(messageOf(anna, "status", "one"), 1);
      inbox.prune(Number.MAX_SAFE_INTEGER);
      expect(inbox.hasUnfinished()).toBe(true);
    }));

  it("accepts a message anew that comes back while it is handed over", () =>
    inInbox((inbox) => {
      const message = messageOf(anna, "status", "one");
      inbox.accept(message, 1);
      const sequence = inbox.next(0, 1)[0]?.sequence ?? 0;
      inbox.markHandedOver(sequence);
      expect(inbox.accept(message, 2)).not.toBeNull();
      inbox.finishHandingOver(sequence);
      expect(inbox.next(sequence, 10).map(({ message: { id }, state }) => [id, state])).toEqual([["one", "new"]]);
    }));

  it("keeps a message that is being handed over, for a crash may come", () =>
    inInbox((inbox) => {
      inbox.accept(messageOf(anna, "status", "one"), 1);
      inbox.markHandedOver(inbox.next(0, 1)[0]?.sequence ?? 0);
      expect(inbox.hasUnfinished()).toBe(true);
    }));
});

describe("the outbox", () => {
  const inOutbox = (run: (outbox: Outbox) => void) => inAgent(({ db }) => run(new Outbox(db)));
  const post = (kind: Post["kind"], words: string, id = "reply"): Post => ({
    id,
    kind,
    ok: true,
    target: {
      channel: "terminal",
      conversation: { workspace: "terminal", id: "anna:main", thread: null },
      replyTo: null,
    },
    inReplyTo: "one",
    blocks: [text(words)],
  });
  const dueRow = (outbox: Outbox, now = 0) => {
    const [row] = outbox.due(now, 10);
    if (!row) throw new Error("nothing is due");
    return row;
  };

  it("sends only the newest of several states", () =>
    inOutbox((outbox) => {
      for (const words of ["reading", "writing", "opening"]) outbox.post(post("progress", words), 1);
      expect(outbox.due(0, 10)).toMatchObject([{ revision: 3, blocks: [text("opening")] }]);
      outbox.settle(dueRow(outbox), { ok: true }, 1);
      expect(outbox.due(0, 10)).toEqual([]);
    }));

  it("sends again what changed while it was sent", () =>
    inOutbox((outbox) => {
      outbox.post(post("progress", "reading"), 1);
      const sent = dueRow(outbox);
      outbox.post(post("progress", "writing"), 1);
      outbox.settle(sent, { ok: true }, 1);
      expect(outbox.due(0, 10)).toMatchObject([{ revision: 2, blocks: [text("writing")] }]);
    }));

  it.for([["progress"], ["final"]] as const)("never lets a %s message follow a final one", ([kind]) =>
    inOutbox((outbox) => {
      outbox.post(post("progress", "working"), 1);
      outbox.post(post("final", "done"), 1);
      outbox.post(post(kind, "more"), 1);
      expect(outbox.due(0, 10)).toMatchObject([{ kind: "final", revision: 2, blocks: [text("done")] }]);
      outbox.settle(dueRow(outbox), { ok: true }, 1);
      outbox.post(post(kind, "more"), 1);
      expect(outbox.due(0, 10)).toEqual([]);
    }),
  );

  it("waits longer after each failure, as long as the platform asks, and starts anew after success", () =>
    inOutbox((outbox) => {
      const failed = (retryAfterMs: number | null = null) => ({
        ok: false as const,
        retryable: true,
        retryAfterMs,
        reason: "",
      });
      outbox.post(post("progress", "working"), 0);
      outbox.settle(dueRow(outbox), failed(), 0);
      expect([outbox.due(999, 10).length, outbox.nextAttemptAt()]).toEqual([0, 1000]);
      outbox.settle(dueRow(outbox, 1000), failed(), 1000);
      expect(outbox.nextAttemptAt()).toBe(3000);
      outbox.settle(dueRow(outbox, 3000), failed(60_000), 3000);
      expect(outbox.nextAttemptAt()).toBe(63_000);
      outbox.settle(dueRow(outbox, 63_000), { ok: true }, 63_000);
      expect([outbox.nextAttemptAt(), outbox.find("reply")?.failures]).toEqual([null, 0]);
    }));

  it("gives up at once what cannot be delivered, and after twenty tries what was not", () =>
    inOutbox((outbox) => {
      outbox.post(post("final", "a", "never"), 0);
      expect(outbox.settle(dueRow(outbox), { ok: false, retryable: false, retryAfterMs: null, reason: "" }, 0)).toEqual(
        { givenUp: true },
      );
      outbox.post(post("final", "b", "often"), 0);
      const tries: boolean[] = [];
      for (let rows = outbox.due(Infinity, 1); rows[0]; rows = outbox.due(Infinity, 1)) {
        tries.push(outbox.settle(rows[0], { ok: false, retryable: true, retryAfterMs: null, reason: "" }, 0).givenUp);
      }
      expect(tries).toEqual([...Array<boolean>(19).fill(false), true]);
    }));

  it("does not give up for being asked to wait, nor for what earlier states of a message went through", () =>
    inOutbox((outbox) => {
      outbox.post(post("progress", "reading"), 0);
      const later = { ok: false, retryable: true, retryAfterMs: 1000, reason: "" } as const;
      for (let now = 0; now < 100_000; now += 1000) {
        expect(outbox.settle(dueRow(outbox, now), later, now)).toEqual({ givenUp: false });
      }
      outbox.settle(dueRow(outbox, 100_000), { ...later, retryAfterMs: null }, 100_000);
      outbox.post(post("final", "done"), 100_000);
      expect(dueRow(outbox, 1_000_000).failures).toBe(0);
    }));

  it("prunes what was delivered, and nothing else", () =>
    inOutbox((outbox) => {
      outbox.post(post("final", "delivered", "a"), 0);
      outbox.settle(dueRow(outbox), { ok: true }, 0);
      outbox.post(post("final", "pending", "b"), 0);
      outbox.prune(1);
      expect([outbox.find("a"), outbox.find("b")?.id]).toEqual([undefined, "b"]);
    }));
});
