import { randomBytes } from "node:crypto";

/** How long a session lasts after its last use. */
const SESSION_TIMEOUT = 30 * 60;

/**
 * Keeps the sessions in memory. `now` returns milliseconds, as `Date.now` does.
 */
export function createSessions({ timeout = SESSION_TIMEOUT, now = Date.now } = {}) {
  const sessions = new Map();

  return {
    open(user) {
      const id = randomBytes(16).toString("hex");
      sessions.set(id, { user, lastUsed: now() });
      return id;
    },

    /** The user of a session that is still good, and null for any other. */
    use(id) {
      const session = sessions.get(id);
      if (!session) return null;
      if (now() - session.lastUsed > timeout) {
        sessions.delete(id);
        return null;
      }
      session.lastUsed = now();
      return session.user;
    },

    close(id) {
      sessions.delete(id);
    },
  };
}
