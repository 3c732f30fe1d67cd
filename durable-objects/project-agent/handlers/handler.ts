import type { GitHub } from "#clients/github.ts";
import type { Command, CommandArgs, CommandName } from "#core/command.ts";
import type { NormalizedMessage } from "#core/message.ts";
import type { PolicyDecision } from "#core/policy.ts";
import type { Block } from "#core/response.ts";
import type { CoordinatorRpc, ProjectFacts, Standing } from "#core/rpc.ts";
import type { TaskSpec, ToolRun } from "#core/task.ts";
import type { Budget } from "../budget.ts";
import type { AuditLog } from "../../mailbox/audit-log.ts";
import type { AgentRegister } from "../register.ts";
import type { Tasks } from "../tasks.ts";

/** What a handler answers: the one final reply, and for the audit what it used. `null` when the reply comes later, from the task it started. */
export type Answer = { ok: boolean; blocks: Block[]; tools?: ToolRun[] } | null;

export const done = (...blocks: Block[]): Answer => ({ ok: true, blocks });
export const notDone = (...blocks: Block[]): Answer => ({ ok: false, blocks });

/**
 * What a command runs with. There is none without `decisionSequence`, the place of the recorded decision that allowed it.
 */
export type Context = {
  organisation: string;
  project: ProjectFacts;
  message: NormalizedMessage;
  command: Command;
  standing: Standing;
  decisionSequence: number;
  replyId: string;
  audit: AuditLog;
  tasks: Tasks;
  budget: Budget;
  /** How tasks work: with a model, or simulated. */
  mode: TaskSpec["mode"];
  /** Which platforms are connected. */
  channelsInWords: string;
  register: AgentRegister;
  coordinator: CoordinatorRpc;
  now: () => number;
  connectGitHub: () => GitHub;
  /** Decides again with what was learnt since (a diff's files) and the rights the person has by now, and records it. */
  decideAgain: (facts: { guarded: boolean }) => Promise<PolicyDecision>;
  /** Ends a task of this project before its work is done. */
  stopTask: (taskId: string, blocks: Block[]) => void;
  /** Brings D1 up to date, and hands it out for reading. */
  freshCopies: () => Promise<D1Database>;
};

/**
 * `now` is synchronous: decision, effect and reply are one transaction. `later` talks to others first, and the conversation's
 * next message waits for it; `aside` does so too but only looks, and nobody waits. Both must bear being run again.
 */
export type Work =
  | { when: "now"; run(context: Context): Answer }
  | { when: "later" | "aside"; run(context: Context): Promise<Answer> };

export const now = (run: (context: Context) => Answer): Work => ({ when: "now", run });
export const later = (run: (context: Context) => Promise<Answer>): Work => ({ when: "later", run });
export const aside = (run: (context: Context) => Promise<Answer>): Work => ({ when: "aside", run });

/** What each command does; null for one that this version cannot carry out. */
export type Handlers = { [Name in CommandName]: ((args: CommandArgs<Name>) => Work) | null };

export function workOf(handlers: Handlers, command: Command): Work | null {
  // Name and arguments belong together in every Command; the compiler cannot follow that through the lookup.
  const handler = handlers[command.name] as ((args: unknown) => Work) | null;
  return handler && handler(command.args);
}
