import { expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

test("prints a command as JSON and succeeds", async () => {
  const { stdout, code } = await runCli(["parse", "@codespar fix the login timeout", "--json"]);
  expect(JSON.parse(stdout)).toEqual({ command: "fix", args: { issue: "the login timeout" }, tier: 1 });
  expect(code).toBe(0);
});

test("prints null and the nearest commands for what is none, and fails", async () => {
  const { stdout, code } = await runCli(["parse", "statsu", "--json"]);
  expect(JSON.parse(stdout)).toEqual({ command: null, suggestions: ["status"] });
  expect(code).toBe(1);
});

test("prints null and the usage for a command that is used wrongly", async () => {
  const { stdout, code } = await runCli(["parse", "merge", "--json"]);
  expect(JSON.parse(stdout)).toEqual({ command: null, suggestions: ["merge PR #<n> [squash|rebase]"] });
  expect(code).toBe(1);
});

test("tells people the usage and an example", async () => {
  const { stdout } = await runCli(["parse", "merge"]);
  expect(stdout).toContain("Usage: merge PR #<n>");
  expect(stdout).toContain("Example: merge PR #12 squash");
});

test.each([
  [["parse"], "takes the message"],
  [["parse", "status", "--yaml"], "--yaml"],
  [["frobnicate"], "no command “frobnicate”"],
  [[], "Say what to do"],
  [["audit"], "export or verify"],
  [["start", "--timeout", "soon"], "--timeout"],
  [["start", "--github", "no-slash"], "owner/repo"],
  [["start", "--repo", ".", "--github", "a/b"], "not both"],
  [["chat", "--url", "ftp://x"], "http or https"],
])("answers wrong usage %j with words and status 2", async (args, words) => {
  const { stderr, code } = await runCli(args);
  expect(stderr).toContain(words);
  expect(stderr).not.toContain("    at ");
  expect(code).toBe(2);
});

test("explains itself", async () => {
  const { stdout, code } = await runCli(["help"]);
  expect(stdout).toContain("claim-code");
  expect(code).toBe(0);
});
