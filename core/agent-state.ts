import { enum as enumOf, type infer as Infer } from "zod";
import { InvalidInputError } from "./errors.ts";

/** What a living agent is doing. An ephemeral agent that has ended has an outcome instead. */
export const AgentState = enumOf(["INITIALIZING", "IDLE", "ACTIVE", "WAITING_APPROVAL"]);
export type AgentState = Infer<typeof AgentState>;

/** How an ephemeral agent ended. */
export const AgentOutcome = enumOf(["completed", "failed", "rejected", "cancelled", "expired"]);
export type AgentOutcome = Infer<typeof AgentOutcome>;

/** Any state may return to INITIALIZING: recovery after a crash that left work unfinished. */
const LEGAL_MOVES: Readonly<Record<AgentState, readonly AgentState[]>> = {
  INITIALIZING: ["INITIALIZING", "IDLE"],
  IDLE: ["INITIALIZING", "ACTIVE"],
  ACTIVE: ["INITIALIZING", "IDLE", "WAITING_APPROVAL"],
  WAITING_APPROVAL: ["INITIALIZING", "ACTIVE"],
};

export const canMove = (from: AgentState, to: AgentState): boolean => LEGAL_MOVES[from].includes(to);

/** The state after the move, which is `to`. Throws InvalidInputError on a move that is not legal. */
export function move(from: AgentState, to: AgentState): AgentState {
  if (!canMove(from, to)) throw new InvalidInputError(`An agent cannot move from ${from} to ${to}.`);
  return to;
}
