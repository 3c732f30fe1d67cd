/** How often something is taken, by key: one `everyMs`, and `atOnce` of them after a pause. */
export class Pace {
  readonly #everyMs: number;
  readonly #atOnce: number;
  /** When the next one would be due, had they come evenly. */
  readonly #due = new Map<string, number>();

  constructor({ everyMs, atOnce }: { everyMs: number; atOnce: number }) {
    this.#everyMs = everyMs;
    this.#atOnce = atOnce;
  }

  /** Takes one at `now` (milliseconds), or says in how many whole seconds one will be taken. */
  take(key: string, now: number): number | null {
    const due = Math.max(this.#due.get(key) ?? 0, now);
    const early = due - now - (this.#atOnce - 1) * this.#everyMs;
    if (early > 0) return Math.ceil(early / 1000);
    this.#due.set(key, due + this.#everyMs);
    return null;
  }
}
