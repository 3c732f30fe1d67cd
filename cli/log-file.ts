import { appendFileSync, existsSync, renameSync, statSync } from "node:fs";

const LIMIT_BYTES = 5_000_000;

/** Appends lines with their time to a file only its owner can read; a long one is set aside as `PATH.1` first. */
export function openLog(path: string): (level: string, message: string) => void {
  if (existsSync(path) && statSync(path).size > LIMIT_BYTES) renameSync(path, `${path}.1`);
  return (level, message) => {
    try {
      appendFileSync(path, `${new Date().toISOString()} ${level} ${message}\n`, { mode: 0o600 });
    } catch {
      // A full disk must not end what runs.
    }
  };
}
