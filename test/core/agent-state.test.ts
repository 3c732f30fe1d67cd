import { describe, expect, it } from "vitest";
import { AgentOutcome, AgentState, canMove, move } from "#core/agent-state.ts";
import { InvalidInputError } from "#core/errors.ts";

// Typed from design/product.md, "The eight agents".
const LEGAL = new Set([
  "INITIALIZING→IDLE",
  "IDLE→ACTIVE",
  "ACTIVE→IDLE",
  "ACTIVE→WAITING_APPROVAL",
  "WAITING_APPROVAL→ACTIVE",
  "INITIALIZING→INITIALIZING",
  "IDLE→INITIALIZING",
  "ACTIVE→INITIALIZING",
  "WAITING_APPROVAL→INITIALIZING",
]);

describe("an agent's state", () => {
  for (const from of AgentState.options) {
    for (const to of AgentState.options) {
      if (LEGAL.has(`${from}→${to}`)) it(`moves ${from} → ${to}`, () => expect(move(from, to)).toBe(to));
      else it(`refuses ${from} → ${to}`, () => expect(() => move(from, to)).toThrow(InvalidInputError));
    }
  }

  it("can be asked before it is moved", () => {
    expect(canMove("IDLE", "ACTIVE")).toBe(true);
    expect(canMove("IDLE", "WAITING_APPROVAL")).toBe(false);
  });

  it("ends in one of five outcomes", () => {
    expect(AgentOutcome.options).toEqual(["completed", "failed", "rejected", "cancelled", "expired"]);
  });
});
