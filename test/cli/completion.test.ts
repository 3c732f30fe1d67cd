import { expect, test } from "vitest";
import { completeCommand } from "#cli/completion.ts";

const commands = ["status", "stop", "help", "link-me"];

test.each([
  ["st", ["status ", "stop "]],
  ["ST", ["status ", "stop "]],
  ["@codespar sta", ["@codespar status "]],
  ["help l", ["help link-me "]],
  ["nothing", []],
  ["fix the st", []],
])("%j may become %j", (line, lines) => {
  expect(completeCommand(line, commands)).toEqual(lines);
});

test("knows commands before the server has named its own", () => {
  expect(completeCommand("instr")).toEqual(["instruct "]);
});
