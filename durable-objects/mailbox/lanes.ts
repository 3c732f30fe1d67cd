/** Keeps things with the same key in order, and lets those with different keys go on side by side. */
export class Lanes {
  readonly #tails = new Map<string, Promise<void>>();

  /**
   * Runs `work` after everything that was run before it under `key`: at once, and without a promise if it needs none,
   * when there is nothing. `work` must not throw or reject.
   */
  run(key: string, work: () => Promise<void> | void): Promise<void> | void {
    const before = this.#tails.get(key);
    const working = before ? before.then(work) : work();
    if (!working) return;
    const tail = working.finally(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    this.#tails.set(key, tail);
    return tail;
  }
}
