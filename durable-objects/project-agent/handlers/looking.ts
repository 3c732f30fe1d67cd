import type { AuditEntry } from "#core/audit.ts";
import { permissionsOf } from "#core/permissions.ts";
import { dollars } from "#core/prices.ts";
import { type Block, code, fields, text } from "#core/response.ts";
import { repositoryFullName } from "#core/task.ts";
import { verifyAudit } from "../../mailbox/audit-verification.ts";
import { type Answer, type Context, done, notDone } from "./handler.ts";

/** How far back `logs` looks for what agents did. */
const LOOK_BACK = 2000;

export function statusOfProject({ project, tasks, register, mode, channelsInWords }: Context): Answer {
  const unfinished = tasks.unfinished();
  const last = tasks.recent(1)[0];
  return done(
    fields({
      Project: project.name,
      Repository: repositoryFullName(project.repository),
      Agent: register.find(project.name)?.state ?? "IDLE",
      Autonomy: `L${project.autonomy}`,
      Tasks: `${tasks.count("running")} running, ${tasks.count("queued")} waiting, ${tasks.count("ended")} ended`,
      Mode: modeInWords(mode),
      Channels: channelsInWords,
    }),
    ...unfinished.map((task) => text(`${task.id}: ${task.progress} (“${brief(task.spec.instruction)}”)`)),
    ...(unfinished.length === 0 && last
      ? [
          text(
            `Last: ${last.id} ${last.outcome ?? last.status}${last.pullRequestUrl ? `, ${last.pullRequestUrl}` : ""}`,
          ),
        ]
      : []),
  );
}

export function listAgents({ register, now }: Context): Answer {
  const lines = register.list(5).map(({ id, kind, state, outcome, endedAt, updatedAt }) => {
    const what = state ?? outcome ?? "ended";
    return `${id.padEnd(16)} ${kind.padEnd(8)} ${what.padEnd(17)} ${ago(now() - (endedAt ?? updatedAt))}`;
  });
  return done(code(["agent            kind     state             since", ...lines].join("\n")));
}

const ago = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
};

const brief = (value: string): string => (value.length > 80 ? `${value.slice(0, 79)}…` : value).replaceAll("\n", " ");

const time = (entry: AuditEntry): string => entry.at.slice(0, 19).replace("T", " ");

/** What agents did, in their order: moves, tool runs, deliveries that failed are left to `audit`. */
export function logs(count: number, { audit }: Context): Answer {
  const entries = audit
    .newest(LOOK_BACK)
    .filter(({ actor, action }) => actor.kind === "agent" && (action === "agent" || action === "tool"))
    .slice(0, count)
    .toReversed();
  if (entries.length === 0) return done(text("No agent has done anything yet. Try `fix` with something to fix."));
  return done(code(entries.map((entry) => `${time(entry)}  ${entry.actor.name}  ${said(entry)}`).join("\n")));
}

/** A detail of an audit entry, in words. */
const shown = (detail: unknown): string => (typeof detail === "string" ? detail : JSON.stringify(detail));

function said({ action, subject, details }: AuditEntry): string {
  if (action === "tool")
    return `${subject}: ${shown(details["detail"] ?? "")}${details["ok"] === false ? " (failed)" : ""}`;
  if (details["outcome"] !== undefined) return `ended: ${shown(details["outcome"])}`;
  return details["from"] === undefined ? shown(details["to"]) : `${shown(details["from"])} → ${shown(details["to"])}`;
}

export function auditList(count: number, { audit }: Context): Answer {
  const lines = audit
    .newest(count)
    .toReversed()
    .map(
      (entry) => `#${entry.sequence}  ${time(entry)}  ${entry.actor.name}  ${entry.action}  ${brief(entry.subject)}`,
    );
  return done(
    code(lines.join("\n")),
    text("`audit verify` checks the whole chain; `codespar audit export` writes it to a file."),
  );
}

/** Verifies the project's chain and the organisation's, and that the copies people query in D1 are the same. */
export async function auditVerify({ audit, freshCopies, coordinator }: Context): Promise<Answer> {
  const verdicts = [await verifyAudit(audit, await freshCopies()), await coordinator.verifyAudit()];
  const blocks = verdicts.map(({ words }) => text(words));
  return verdicts.every(({ ok }) => ok) ? done(...blocks) : notDone(...blocks);
}

export function whoami({ message, standing }: Context): Answer {
  return done(
    fields({
      You: standing.name,
      Identity: standing.identity,
      Account: `${message.sender.account} on ${message.channel}`,
      Role: standing.role,
      Permissions: permissionsOf(standing.role).join(", "),
    }),
  );
}

export function config({ organisation, project, mode }: Context): Answer {
  return done(
    fields({
      Organisation: organisation,
      Project: project.name,
      Repository: repositoryFullName(project.repository),
      Autonomy: `L${project.autonomy}`,
      Mode: modeInWords(mode),
    }),
  );
}

export async function statusOfAll({ coordinator }: Context): Promise<Answer> {
  const all = await coordinator.overview();
  return done(
    fields(
      Object.fromEntries(
        all.map(({ name, repository, state, running, queued }) => [
          name,
          `${repository}, ${state}, ${running} running, ${queued} waiting`,
        ]),
      ),
    ),
  );
}

const modeInWords = (mode: Context["mode"]): string =>
  mode === "edge" ? "a model changes code through GitHub" : "simulation: no model is connected";

/** What models have cost this month: tokens and dollars, by task, person and model. */
export function usage({ budget, project, mode }: Context): Answer {
  const spent = budget.spentThisMonth();
  if (spent === 0 && mode === "simulation") return done(text("No model is connected, so nothing was spent."));
  const table = (title: string, by: "task" | "person" | "model"): Block =>
    code(
      [
        title,
        ...budget
          .usage(by, 10)
          .map(
            ({ key, calls, tokens, costUsd }) =>
              `${key.padEnd(30)} ${dollars(costUsd).padStart(9)} ${String(tokens).padStart(10)} tokens ${String(calls).padStart(4)} calls`,
          ),
      ].join("\n"),
    );
  return done(
    fields({
      Project: project.name,
      "This month": `${dollars(spent)} of ${dollars(budget.limits.monthUsd)}`,
      "A task": `at most ${dollars(budget.limits.taskUsd)}`,
    }),
    table("By person", "person"),
    table("By task", "task"),
    table("By model", "model"),
  );
}
