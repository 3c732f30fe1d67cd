import type { Command, CommandName } from "#core/command.ts";
import { commandEntry } from "#core/command-table.ts";
import type { PolicyDecision } from "#core/policy.ts";
import { text } from "#core/response.ts";
import { approvalNeeded, notAvailable } from "../mailbox/words.ts";
import type { Answer, Work } from "./handlers/handler.ts";

/** It neither starts nor ends a task, whatever comes of it. */
export const onlyLooks = (name: CommandName): boolean => ["view", "identity"].includes(commandEntry(name).permission);

/** Names and roles may be others after it than those that were kept. */
export function changesStandings(name: CommandName): boolean {
  const { risk, permission } = commandEntry(name);
  return risk !== "low" || permission === "identity";
}

/** Why a command is not carried out, or null when it may be. */
export function refusal(command: Command, work: Work | null, decision: PolicyDecision): Answer {
  if (decision.effect !== "allow") return { ok: false, blocks: [text(approvalNeeded(command.name, decision))] };
  return work ? null : { ok: false, blocks: [text(notAvailable(command.name))] };
}
