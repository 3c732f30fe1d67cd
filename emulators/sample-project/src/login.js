import { passwordMatches } from "./users.js";

const MAX_FAILURES = 5;
const LOCK_MS = 60_000;

/** Checks names and passwords; after five failures in a row a name is locked for a minute. */
export function createLogin({ users, sessions, now = Date.now }) {
  const failures = new Map();

  return function login(name, password) {
    const failed = failures.get(name) ?? { count: 0, last: 0 };
    if (failed.count >= MAX_FAILURES && now() - failed.last < LOCK_MS) {
      return { ok: false, reason: "locked" };
    }
    const user = users.get(name);
    if (!user || !passwordMatches(user, password)) {
      failures.set(name, { count: failed.count + 1, last: now() });
      return { ok: false, reason: "wrong name or password" };
    }
    failures.delete(name);
    return { ok: true, session: sessions.open(name) };
  };
}
