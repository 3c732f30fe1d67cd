import { type NormalizedMessage, accountKey, conversationKey } from "#core/message.ts";
import type { CoordinatorRpc, Standing } from "#core/rpc.ts";

/** An answer this old is good enough for what only looks (design: architecture, "Who owns what"). */
const GOOD_FOR_MS = 10_000;
const MAX_KEPT = 5000;

/** Who the senders are, as the Coordinator told: kept for seconds, for low risk only. */
export class Standings {
  readonly #coordinator: () => Pick<CoordinatorRpc, "standing">;
  readonly #clock: () => number;
  readonly #kept = new Map<string, { standing: Standing; until: number }>();

  constructor(coordinator: () => Pick<CoordinatorRpc, "standing">, clock: () => number) {
    this.#coordinator = coordinator;
    this.#clock = clock;
  }

  /** What was learnt in the last seconds, or null. */
  kept(message: NormalizedMessage): Standing | null {
    const hit = this.#kept.get(keyOf(message));
    return hit && hit.until > this.#clock() ? hit.standing : null;
  }

  /** Asks the Coordinator. */
  async ask(message: NormalizedMessage): Promise<Standing> {
    const { channel, conversation, sender } = message;
    const standing = await this.#coordinator().standing({ channel, conversation, sender });
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(keyOf(message), { standing, until: this.#clock() + GOOD_FOR_MS });
    return standing;
  }

  /** Forgets everything: something changed that may concern anyone. */
  forget(): void {
    this.#kept.clear();
  }
}

const keyOf = ({ channel, conversation, sender }: NormalizedMessage): string =>
  `${accountKey(channel, conversation.workspace, sender.account)} ${conversationKey(channel, conversation)}`;
