import type { Progress } from "./status-line.ts";

/** What is under way, by the message that asked for it. */
export interface ProgressBoard {
  set(key: string, text: string): void;
  end(key: string): void;
  /** What has changed last, and how many others there are: one line for all. */
  newest(): Progress | undefined;
}

export function createProgressBoard(now: () => number = () => performance.now()): ProgressBoard {
  const entries = new Map<string, Progress>();
  return {
    set(key, text) {
      const since = entries.get(key)?.since ?? now();
      entries.delete(key); // so that the newest stands last
      entries.set(key, { text, since });
    },
    end: (key) => void entries.delete(key),
    newest() {
      const newest = [...entries.values()].at(-1);
      return newest === undefined || entries.size === 1
        ? newest
        : { ...newest, text: `${newest.text} (and ${entries.size - 1} more)` };
    },
  };
}
