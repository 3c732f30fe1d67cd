import type { Command } from "#core/command.ts";
import { commandEntry } from "#core/command-table.ts";
import type { NormalizedMessage } from "#core/message.ts";
import { DEFAULT_AUTONOMY } from "#core/permissions.ts";
import { type PolicyDecision, decide } from "#core/policy.ts";
import type { Standing } from "#core/rpc.ts";
import type { AuditLog } from "./audit-log.ts";

/** What is known beyond the command and who asked: see `PolicyInput`. `about` names what it is about, where that is another project. */
export type DecisionFacts = { guarded?: boolean; raisesOwnRights?: boolean; about?: string; budgetLeft?: number };

/** Decides on a person's command, and records the decision. `sequence` is its place in the audit. Call it in a transaction. */
export function decideAndRecord(
  audit: AuditLog,
  { message, command, standing }: { message: NormalizedMessage; command: Command; standing: Standing },
  { guarded = false, raisesOwnRights = false, about, budgetLeft = Infinity }: DecisionFacts,
  now: number,
): { decision: PolicyDecision; sequence: number } {
  const { risk } = commandEntry(command.name);
  const autonomy = standing.project?.autonomy ?? DEFAULT_AUTONOMY;
  const decision = decide({
    actor: standing.identity,
    role: standing.role,
    command: command.name,
    risk,
    guarded,
    environment: command.name === "rollback" ? command.args.environment : null,
    autonomy,
    initiatedBy: "person",
    policies: standing.policies,
    halted: standing.halted,
    budgetLeft,
    now,
    raisesOwnRights,
    ...(command.name === "autonomy" ? { requestedLevel: command.args.level } : {}),
  });
  const sequence = audit.append({
    actor: { kind: "person", id: standing.identity, name: standing.name },
    action: "decision",
    subject: command.name,
    details: {
      delivery: message.id,
      role: standing.role,
      autonomy,
      risk,
      guarded,
      ...(about === undefined ? {} : { about }),
      ...decision,
    },
  });
  return { decision, sequence };
}
