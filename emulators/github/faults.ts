/** A request as tests and hooks see it. `n` counts from 1. */
export type SeenRequest = { n: number; method: string; path: string };
export type LoggedRequest = SeenRequest & { status: number | null };

export type FaultEffect =
  /** Answers this, and does not do the work. */
  | { kind: "answer"; status: number; headers?: Record<string, string>; body?: unknown }
  /** Does the work, then breaks the connection. */
  | { kind: "lose-answer" }
  /** Waits, in milliseconds. */
  | { kind: "delay"; beforeMs?: number; afterMs?: number }
  /** Leaves out the second half of a tree's entries and says so. */
  | { kind: "truncated-tree" }
  /** Does the work and answers something that is not what was promised. */
  | { kind: "malformed-body"; body?: string };

export type Fault = {
  /** Everything given must fit; nothing given fits everything. */
  match: { method?: string; path?: RegExp };
  /** How many requests it befalls; without it, all. */
  times?: number;
  effect: FaultEffect;
};

export type Hooks = {
  /** Before any work is done, and before the answer is sent. Both are waited for. */
  onRequest?: (request: SeenRequest) => void | Promise<void>;
  onResponse?: (request: LoggedRequest) => void | Promise<void>;
};

/** Faults to befall requests, in the order they were added; several may befall one. */
export class Faults {
  #faults: { fault: Fault; left: number }[] = [];

  add(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.#faults = [];
  }

  /** The effects for one request, each used up by one. */
  take(request: { method: string; path: string }): FaultEffect[] {
    const taken: FaultEffect[] = [];
    for (const entry of this.#faults) {
      const { method, path } = entry.fault.match;
      if (entry.left <= 0 || (method !== undefined && method.toUpperCase() !== request.method)) continue;
      // A global expression would remember where it stopped.
      if (path !== undefined && request.path.search(path) === -1) continue;
      entry.left--;
      taken.push(entry.fault.effect);
    }
    return taken;
  }
}
