import { conversationKey } from "#core/message.ts";
import type { Inbox, InboxRow } from "./inbox.ts";
import { Lanes } from "./lanes.ts";
import { isExpected } from "./words.ts";

export type DrainSetup = {
  inbox: Inbox;
  /** Works on one message; see `PersistentAgent.work`. */
  work: (row: InboxRow) => Promise<void> | void;
  /** Answers a message whose work threw, in a transaction. */
  giveUp: (row: InboxRow, error: unknown) => void;
  /** Some messages were worked on: what they posted can be sent. */
  worked: () => void;
  keepAlive: (working: Promise<void>) => void;
};

const BATCH = 50;
/** Tries of a message that fails in a way nobody expects, and the pauses between them; they double. */
const MAX_TRIES = 5;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5000;

type Work = () => Promise<void> | void;

/**
 * Works through the inbox: each conversation's messages in order, conversations side by side. What needs no waiting is done
 * before `run` returns.
 */
export class Drain {
  readonly #at: DrainSetup;
  readonly #lanes = new Lanes();
  /** Messages up to this sequence have been begun with since this object was last constructed. */
  #begunUpTo = 0;
  #underWay = 0;
  #running = false;
  /** Everything in the inbox has been begun with. */
  #caughtUp = false;

  constructor(setup: DrainSetup) {
    this.#at = setup;
  }

  /** Works through all that is unfinished; or only on `accepted`, when everything before it has been begun with. */
  async run(accepted?: InboxRow): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      const justThis = accepted && this.#caughtUp ? [accepted] : null;
      if (!justThis && this.#underWay === 0) this.#begunUpTo = 0;
      for (;;) {
        const rows = justThis ?? this.#at.inbox.next(this.#begunUpTo, BATCH);
        for (const row of rows) this.#begin(row);
        this.#at.worked();
        this.#caughtUp = rows.length < BATCH;
        if (this.#caughtUp) break;
        await scheduler.wait(0);
      }
    } catch (error) {
      this.#caughtUp = false;
      throw error;
    } finally {
      // At once, not after the promise: a message that comes in between would be left lying.
      this.#running = false;
    }
  }

  #begin(row: InboxRow): void {
    this.#begunUpTo = row.sequence;
    const { channel, conversation } = row.message;
    this.#track(this.#lanes.run(conversationKey(channel, conversation), () => this.#try(row)));
  }

  /**
   * Lets slow work for a message go on by itself, so that the messages behind it in the conversation need not wait. For
   * what only looks: what changes something keeps its place.
   */
  goOn(row: InboxRow, work: Work): void {
    this.#track(this.#try(row, work));
  }

  #track(working: Promise<void> | void): void {
    if (!working) return;
    this.#underWay += 1;
    this.#at.keepAlive(
      working.finally(() => {
        this.#underWay -= 1;
        this.#at.worked();
      }),
    );
  }

  /** Works on a message as often as it takes: until it is answered, handed over, or given up. */
  #try(row: InboxRow, work: Work = () => this.#at.work(row), tries = 1): Promise<void> | void {
    const again = (error: unknown) => this.#again(row, error, work, tries);
    try {
      return work()?.catch(again);
    } catch (error) {
      return again(error);
    }
  }

  #again(row: InboxRow, error: unknown, work: Work, tries: number): Promise<void> | void {
    if (!isExpected(error)) console.error("a message could not be worked on", error);
    // The agent it was given to may have accepted it: an answer from here could be a second one.
    const mayGiveUp = !this.#at.inbox.isHandedOver(row.sequence);
    if (mayGiveUp && (isExpected(error) || tries >= MAX_TRIES)) return this.#at.giveUp(row, error);
    const pauseMs = Math.min(2 ** (tries - 1) * FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
    return scheduler.wait(pauseMs).then(() => this.#try(row, work, tries + 1));
  }
}
