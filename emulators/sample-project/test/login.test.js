import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogin } from "../src/login.js";
import { createSessions } from "../src/session.js";
import { createUser } from "../src/users.js";

function shop() {
  let time = 0;
  const now = () => time;
  const sessions = createSessions({ timeout: 1000, now });
  const users = new Map([["anna", createUser("correct horse")]]);
  return { sessions, login: createLogin({ users, sessions, now }), pass: (ms) => (time += ms) };
}

test("opens a session for the right password", () => {
  const { sessions, login } = shop();
  const result = login("anna", "correct horse");
  assert.equal(result.ok, true);
  assert.equal(sessions.use(result.session), "anna");
});

test("refuses a wrong password", () => {
  assert.deepEqual(shop().login("anna", "guess"), { ok: false, reason: "wrong name or password" });
});

test("locks a name for a minute after five failures", () => {
  const { login, pass } = shop();
  for (let attempt = 0; attempt < 5; attempt += 1) login("anna", "guess");
  assert.equal(login("anna", "correct horse").reason, "locked");
  pass(60_000);
  assert.equal(login("anna", "correct horse").ok, true);
});

test("a session lasts while it is used, and ends when it is not", () => {
  const { sessions, login, pass } = shop();
  const { session } = login("anna", "correct horse");
  pass(900);
  assert.equal(sessions.use(session), "anna");
  pass(900);
  assert.equal(sessions.use(session), "anna");
  pass(1001);
  assert.equal(sessions.use(session), null);
});
