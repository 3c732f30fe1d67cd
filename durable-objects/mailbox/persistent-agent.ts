import { DurableObject } from "cloudflare:workers";
import { eq, lt } from "drizzle-orm";
import { type DrizzleSqliteDODatabase, drizzle } from "drizzle-orm/durable-sqlite";
import { migrate } from "drizzle-orm/durable-sqlite/migrator";
import type { ChannelRegistry, DeliveryMemory } from "#channels/adapter.ts";
import type { NormalizedMessage } from "#core/message.ts";
import type { Accepted, AuditPage, MessageReceiver } from "#core/rpc.ts";
import type { CopyStatement } from "#db/copies.ts";
import { AuditLog } from "./audit-log.ts";
import { Copies } from "./copies.ts";
import { Deadlines } from "./deadlines.ts";
import { Drain } from "./drain.ts";
import { deliveryMemory, facts } from "./schema.ts";
import { Inbox, type InboxRow } from "./inbox.ts";
import { Outbox } from "./outbox.ts";
import { Sender } from "./sender.ts";

const SECOND = 1000;
const DAY = 86_400 * SECOND;
/** If draining has not finished a message by then, the alarm begins again. */
const DRAIN_AFTER_MS = 5 * SECOND;
/** A deadline whose handling a crash cut off comes again after this. */
const AGAIN_AFTER_MS = 30 * SECOND;
const COPY_AFTER_MS = 1 * SECOND;
const COPY_AGAIN_AFTER_MS = 10 * SECOND;
/** How long a repeated delivery is recognised. Platforms repeat for hours at most. */
const KEEP_MS = 7 * DAY;

type Migrations = Parameters<typeof migrate>[1];

export type PersistentAgentSetup = {
  /** The audit chain's name, from the object's own. */
  chainOf: (name: string) => string;
  migrations: Migrations;
  d1: D1Database;
  /** What sends to each platform, given a memory of what was sent. */
  channels: (memory: DeliveryMemory) => ChannelRegistry;
};

/**
 * What every persistent agent does alike: takes messages into its inbox, works through them, writes what it did into
 * its audit chain, sends what its outbox holds, and copies to D1. Every step is a row before it is an action, and the
 * alarm finishes what a crash left.
 */
export abstract class PersistentAgent<Env> extends DurableObject<Env> {
  /** The name this object was made with. */
  protected readonly name: string;
  protected readonly db: DrizzleSqliteDODatabase;
  protected readonly audit: AuditLog;
  protected readonly inbox: Inbox;
  protected readonly outbox: Outbox;
  protected readonly deadlines: Deadlines;
  protected readonly copies: Copies;
  protected readonly channels: ChannelRegistry;
  readonly #sender: Sender;
  readonly #drain: Drain;
  #copying = false;

  constructor(ctx: DurableObjectState, env: Env, setup: PersistentAgentSetup) {
    super(ctx, env);
    this.db = drizzle(ctx.storage, { casing: "snake_case" });
    // Does all its work before it returns its promise; a failure then makes the object unusable, and so is noticed.
    const migrated = migrate(this.db, setup.migrations);
    void ctx.blockConcurrencyWhile(() => migrated);
    this.name = this.#ownName();
    this.audit = new AuditLog(this.db, setup.chainOf(this.name), this.now);
    this.inbox = new Inbox(this.db);
    this.outbox = new Outbox(this.db);
    this.deadlines = new Deadlines(this.db, ctx.storage);
    this.copies = new Copies(this.db, setup.d1, this.audit, (kind, id) => this.readCopy(kind, id));
    this.channels = setup.channels(this.#memory());
    this.#drain = new Drain({
      inbox: this.inbox,
      work: (row) => this.work(row),
      giveUp: (row, error) => this.transaction(() => this.giveUp(row, error)),
      worked: () => {
        this.send();
        this.noteCopy();
      },
      keepAlive: (working) => this.ctx.waitUntil(working),
    });
    this.#sender = new Sender({
      outbox: this.outbox,
      channels: this.channels,
      now: this.now,
      audit: this.audit,
      transaction: (change) => this.transaction(change),
      idle: () => this.#allSent(),
      // What was not sent, or not settled, is due when the deadline "send" comes.
      failed: (error) => console.error("sending failed", error),
      keepAlive: (sending) => this.ctx.waitUntil(sending),
    });
  }

  /** An object that its alarm wakes is not told its name: it keeps it. */
  #ownName(): string {
    const kept = this.db.select().from(facts).where(eq(facts.name, "name")).get()?.value;
    if (typeof kept === "string") return kept;
    const { name } = this.ctx.id;
    if (name === undefined) throw new Error("A persistent agent is reached by its name.");
    this.db.insert(facts).values({ name: "name", value: name }).run();
    return name;
  }

  #memory(): DeliveryMemory {
    return {
      get: (id) => this.db.select().from(deliveryMemory).where(eq(deliveryMemory.id, id)).get()?.reference ?? null,
      set: (id, reference) => {
        const row = { id, reference, at: this.now() };
        this.db.insert(deliveryMemory).values(row).onConflictDoUpdate({ target: deliveryMemory.id, set: row }).run();
      },
    };
  }

  protected readonly now = (): number => Date.now();

  /**
   * Works on one accepted message. It must end in `inbox.finish`, in the transaction that answers or hands over, and bear
   * being begun again. The next message of the conversation waits for it.
   */
  protected abstract work(row: InboxRow): Promise<void> | void;
  /** A deadline of the subclass has passed. */
  protected abstract onDeadline(name: string): Promise<void> | void;
  /** Forgets what was kept for recognising repeats of deliveries from before `time`. */
  protected prune(_time: number): void {}
  protected abstract readCopy(kind: string, id: string): CopyStatement | null;
  /** Answers a message whose work threw: the last resort that keeps the promise of one final reply. */
  protected abstract giveUp(row: InboxRow, error: unknown): void;

  async receive(message: NormalizedMessage): Promise<Accepted> {
    // In the one commit of this turn: what was sent before, this message, and if that takes no waiting also its answer.
    this.#sender.settle();
    const row = this.inbox.accept(message, this.now());
    if (row) this.drain(row);
    return { repeated: row === null };
  }

  async knows(delivery: string): Promise<boolean> {
    return this.inbox.knows(delivery);
  }

  async auditPage(from: number, limit: number): Promise<AuditPage> {
    return this.audit.page(from, limit);
  }

  override async alarm(): Promise<void> {
    await this.deadlines.run(this.now(), this.now() + AGAIN_AFTER_MS, async (name) => {
      try {
        await this.#onDeadline(name);
      } catch (error) {
        // A deadline that failed comes again: nothing may be lost because one try went wrong.
        console.error("deadline failed", name, error);
        this.deadlines.set(name, this.now() + DRAIN_AFTER_MS);
      }
    });
    this.deadlines.rearm();
  }

  #onDeadline(name: string): Promise<void> | void {
    switch (name) {
      case "drain":
        return this.#drainUnfinished();
      case "send":
        return this.#sendDue();
      case "copy":
        return this.#copy();
      case "prune":
        return this.#prune();
      default:
        return this.onDeadline(name);
    }
  }

  /** Changes state, audit and outbox together or not at all. The callback must be synchronous. */
  protected transaction<T>(change: () => T): T {
    const head = this.audit.head;
    try {
      return this.ctx.storage.transactionSync(() => {
        const result = change();
        // The safety net, should this object die before what was posted is sent.
        if (this.outbox.hasPosted) this.deadlines.noLaterThan("send", this.now() + DRAIN_AFTER_MS);
        return result;
      });
    } catch (error) {
      this.audit.head = head;
      this.deadlines.reload();
      throw error;
    }
  }

  /** Works through the inbox, as `Drain.run` says. */
  protected drain(accepted?: InboxRow): void {
    // The safety net comes first, should this object die while it works.
    this.deadlines.noLaterThan("drain", this.now() + DRAIN_AFTER_MS);
    this.ctx.waitUntil(
      this.#drain.run(accepted).catch((error: unknown) => {
        console.error("draining failed", error);
        this.deadlines.noLaterThan("drain", this.now() + DRAIN_AFTER_MS);
      }),
    );
  }

  #drainUnfinished(): void {
    if (this.inbox.hasUnfinished()) this.drain();
    else this.deadlines.noLaterThan("prune", this.now() + DAY);
  }

  /** See `Drain.goOn`. */
  protected goOn(row: InboxRow, work: () => Promise<void>): void {
    this.#drain.goOn(row, work);
  }

  /**
   * Whether people are talking to each other: a message in a group that mentions nobody of us counts only in a thread that the bot takes
   * part in (design: product, "Messages"). The channel has let through only what reads as a command.
   */
  protected isTalk({ mentionsBot, isDirect, channel, conversation }: NormalizedMessage): boolean {
    if (mentionsBot || isDirect) return false;
    return conversation.thread === null || !this.outbox.hasThread(channel, conversation);
  }

  /** Gives a message to the agent it belongs to. `other` may find out that it belongs here after all, and give it back. */
  protected async handOver(row: InboxRow, other: MessageReceiver): Promise<void> {
    this.inbox.markHandedOver(row.sequence);
    await other.receive(row.message);
    this.inbox.finishHandingOver(row.sequence);
  }

  /** Sends what was posted. */
  protected send(): void {
    this.#sender.sendPosted();
    if (this.#sender.busy) this.deadlines.noLaterThan("send", this.now() + DRAIN_AFTER_MS);
  }

  #sendDue(): void {
    this.#sender.sendDue();
    // While a platform is slow to answer, the net stays stretched.
    if (this.#sender.busy) this.deadlines.noLaterThan("send", this.now() + DRAIN_AFTER_MS);
    else this.#allSent();
  }

  #allSent(): void {
    const next = this.outbox.nextAttemptAt();
    if (next !== null) this.deadlines.noLaterThan("send", Math.max(next, this.now()));
    this.noteCopy();
  }

  /** Has what changed copied to D1 soon. */
  protected noteCopy(): void {
    if (this.copies.pending()) this.deadlines.noLaterThan("copy", this.now() + COPY_AFTER_MS);
  }

  /** Copies to D1 now. Throws when D1 does not take it. */
  protected copyNow(): Promise<void> {
    return this.copies.flush();
  }

  async #copy(): Promise<void> {
    if (this.#copying) return;
    this.#copying = true;
    // The safety net, should this object die while D1 answers.
    this.deadlines.set("copy", this.now() + COPY_AGAIN_AFTER_MS);
    try {
      await this.copies.flush();
      this.deadlines.clear("copy");
      this.noteCopy();
    } catch (error) {
      console.error("copying to D1 failed", error);
    } finally {
      this.#copying = false;
    }
  }

  #prune(): void {
    this.inbox.prune(this.now() - KEEP_MS);
    this.outbox.prune(this.now() - KEEP_MS);
    this.db
      .delete(deliveryMemory)
      .where(lt(deliveryMemory.at, this.now() - KEEP_MS))
      .run();
    this.prune(this.now() - KEEP_MS);
    this.deadlines.set("prune", this.now() + DAY);
  }
}
