import type { ChannelRegistry } from "#channels/adapter.ts";
import type { DeliveryResult, Target } from "#core/delivery.ts";
import { conversationKey } from "#core/message.ts";
import type { AuditLog } from "./audit-log.ts";
import { type Outbox, type OutboxRow, isPending, toResponse } from "./outbox.ts";

type Settled = { row: OutboxRow; result: DeliveryResult };

export type SenderSetup = {
  outbox: Outbox;
  channels: ChannelRegistry;
  now: () => number;
  audit: AuditLog;
  transaction: (change: () => void) => void;
  /** All that was to be sent has been tried. */
  idle: () => void;
  failed: (error: unknown) => void;
  keepAlive: (sending: Promise<void>) => void;
};

/**
 * How long a send's result may wait to be written down together with others, or with the next message. Should the object
 * die in that time, the message is sent again, as if its answer had been lost.
 */
const SETTLE_WITHIN_MS = 5;
const BATCH = 200;
const MAX_PACED = 10_000;

/** Sends what the outbox holds: each conversation's messages in order, and no conversation waiting for another's. */
export class Sender {
  readonly #at: SenderSetup;
  /** Outbox ids still to be sent, by conversation; there while the conversation is being sent to. */
  readonly #lanes = new Map<string, string[]>();
  /** When something was last sent to a conversation of a platform that takes only so much in a time. */
  readonly #lastSentAt = new Map<string, number>();
  #settled: Settled[] = [];
  #settling = false;

  constructor(setup: SenderSetup) {
    this.#at = setup;
  }

  get busy(): boolean {
    return this.#lanes.size > 0 || this.#settled.length > 0;
  }

  /** Sends what was posted since the last call. */
  sendPosted(): void {
    for (const [id, target] of this.#at.outbox.takePosted()) this.#enqueue(id, target);
  }

  /** Sends what is due, whenever it was posted. */
  sendDue(): void {
    this.settle();
    for (const row of this.#at.outbox.due(this.#at.now(), BATCH)) this.#enqueue(row.id, row.target);
  }

  /** Writes down at once what became of sends. To be called when something is written anyway: it costs no commit then. */
  settle(): void {
    if (this.#settled.length === 0) return;
    try {
      this.#at.transaction(() => this.#settled.forEach((settled) => this.#writeDown(settled)));
      this.#settled = [];
    } catch (error) {
      // Kept, to be written down the next time: until then these are not sent again.
      this.#at.failed(error);
    }
  }

  #writeDown({ row, result }: Settled): void {
    const { givenUp } = this.#at.outbox.settle(row, result, this.#at.now());
    if (!result.ok && !givenUp) return;
    this.#at.audit.append({
      actor: { kind: "system", id: "outbox", name: "outbox" },
      action: "delivery",
      subject: row.id,
      details: { revision: row.revision, kind: row.kind, channel: row.target.channel, ok: result.ok },
    });
  }

  #enqueue(id: string, target: Target): void {
    const key = conversationKey(target.channel, target.conversation);
    const lane = this.#lanes.get(key);
    if (lane) {
      if (!lane.includes(id)) lane.push(id);
      return;
    }
    const ids = [id];
    this.#lanes.set(key, ids);
    this.#at.keepAlive(this.#run(key, ids));
  }

  async #run(key: string, ids: string[]): Promise<void> {
    try {
      for (let id = ids.shift(); id !== undefined; id = ids.shift()) {
        if (this.#isUnsettled(id)) this.settle();
        if (this.#isUnsettled(id)) continue;
        const waiting = this.#at.outbox.find(id);
        if (!waiting || !isPending(waiting) || waiting.nextAttemptAt > this.#at.now()) continue;
        // Read again after the wait: only the newest state of a message is sent.
        const row = (await this.#paced(key, waiting)) ? this.#at.outbox.find(id) : waiting;
        if (!row) continue;
        const result = await this.#send(row);
        this.#settled.push({ row, result });
        this.#settleSoon();
        // What comes after it in this conversation becomes due again with it.
        if (!result.ok) break;
      }
    } catch (error) {
      this.#at.failed(error);
    } finally {
      this.#lanes.delete(key);
    }
  }

  /** Waits until the platform takes the next message of a conversation; false when there was nothing to wait for. */
  async #paced(key: string, { target, deliveredRevision }: OutboxRow): Promise<boolean> {
    const pace = this.#at.channels[target.channel]?.capabilities.pace;
    const everyMs = deliveredRevision > 0 ? pace?.editMs : pace?.postMs;
    if (!everyMs) return false;
    const waitMs = (this.#lastSentAt.get(key) ?? 0) + everyMs - this.#at.now();
    if (waitMs > 0) await scheduler.wait(waitMs);
    if (this.#lastSentAt.size >= MAX_PACED) this.#lastSentAt.clear();
    this.#lastSentAt.set(key, this.#at.now());
    return waitMs > 0;
  }

  #isUnsettled(id: string): boolean {
    return this.#settled.some(({ row }) => row.id === id);
  }

  #settleSoon(): void {
    if (this.#settling) return;
    this.#settling = true;
    const settled = scheduler.wait(SETTLE_WITHIN_MS).then(() => {
      this.#settling = false;
      this.settle();
      if (!this.busy) this.#at.idle();
    });
    this.#at.keepAlive(settled);
  }

  async #send(row: OutboxRow): Promise<DeliveryResult> {
    const adapter = this.#at.channels[row.target.channel];
    if (!adapter)
      return { ok: false, retryable: false, retryAfterMs: null, reason: `No adapter for ${row.target.channel}.` };
    return adapter.send(toResponse(row));
  }
}
