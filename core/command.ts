import {
  array,
  discriminatedUnion,
  enum as enumOf,
  type infer as Infer,
  literal,
  nullable,
  number,
  object,
  string,
  union,
} from "zod";
import { MAX_TEXT_LENGTH } from "./message.ts";
import { AutonomyLevel, Role } from "./permissions.ts";
import { ApprovalToken, TaskId } from "./task-id.ts";

/** Every command by its one name. `config set` and `runners revoke` are two words because they need other rights. */
export const CommandName = enumOf([
  "help",
  "status",
  "agents",
  "logs",
  "audit",
  "prs",
  "config",
  "permissions",
  "context",
  "usage",
  "runners",
  "whoami",
  "register",
  "link-me",
  "claim",
  "review",
  "investigate",
  "lens",
  "instruct",
  "implement",
  "refactor",
  "fix",
  "stop",
  "plan",
  "spec",
  "merge",
  "deploy",
  "rollback",
  "approve",
  "reject",
  "autonomy",
  "link",
  "unlink",
  "alias",
  "schedule",
  "role",
  "config set",
  "runners revoke",
  "kill",
  "resume",
]);
export type CommandName = Infer<typeof CommandName>;

/** A message's text may grow when it is brought into NFC: by at most three. */
const freeText = () =>
  string()
    .min(1)
    .max(3 * MAX_TEXT_LENGTH);

const name = (max: number) => string().min(1).max(max);
const none = object({});
const pullRequest = number().int().min(1).max(9_999_999_999);

export const RepositoryOwner = string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,38}$/);
export const RepositoryName = string().regex(/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/);
export const EnvironmentName = string().regex(/^[a-z][a-z0-9._-]{0,38}$/);
export const Alias = string().regex(/^[a-z0-9][a-z0-9-]{0,38}$/);

/** A command as it was understood: what is stored, decided on, and handed to its handler. */
export const Command = discriminatedUnion("name", [
  object({ name: literal("help"), args: object({ command: nullable(CommandName) }) }),
  object({ name: literal("status"), args: object({ scope: enumOf(["project", "build", "agent", "all"]) }) }),
  object({ name: literal("agents"), args: none }),
  object({ name: literal("logs"), args: object({ count: number().int().min(1).max(200) }) }),
  object({
    name: literal("audit"),
    args: discriminatedUnion("mode", [
      object({ mode: literal("list"), count: number().int().min(1).max(200) }),
      object({ mode: literal("verify") }),
    ]),
  }),
  object({ name: literal("prs"), args: object({ state: enumOf(["open", "closed", "all"]) }) }),
  object({ name: literal("config"), args: none }),
  object({ name: literal("permissions"), args: object({ person: nullable(name(200)) }) }),
  object({ name: literal("context"), args: none }),
  object({ name: literal("usage"), args: none }),
  object({ name: literal("runners"), args: none }),
  object({ name: literal("whoami"), args: none }),
  object({ name: literal("register"), args: object({ name: name(80) }) }),
  object({ name: literal("link-me"), args: object({ code: nullable(name(128)) }) }),
  object({ name: literal("claim"), args: object({ code: name(128) }) }),
  object({ name: literal("review"), args: object({ number: pullRequest }) }),
  object({ name: literal("investigate"), args: object({ what: freeText() }) }),
  object({ name: literal("lens"), args: object({ question: freeText() }) }),
  object({ name: literal("instruct"), args: object({ task: freeText() }) }),
  object({ name: literal("implement"), args: object({ task: freeText() }) }),
  object({ name: literal("refactor"), args: object({ task: freeText() }) }),
  object({ name: literal("fix"), args: object({ issue: freeText() }) }),
  object({ name: literal("stop"), args: object({ taskId: nullable(TaskId) }) }),
  object({ name: literal("plan"), args: object({ feature: freeText() }) }),
  object({
    name: literal("spec"),
    args: union([
      object({ mode: literal("new"), feature: freeText() }),
      object({ mode: enumOf(["design", "tasks", "status"]) }),
    ]),
  }),
  object({
    name: literal("merge"),
    args: object({ number: pullRequest, method: enumOf(["merge", "squash", "rebase"]) }),
  }),
  object({
    name: literal("deploy"),
    args: discriminatedUnion("mode", [
      object({ mode: literal("single"), environment: EnvironmentName }),
      object({ mode: literal("cascade"), steps: array(EnvironmentName).min(2).max(20) }),
    ]),
  }),
  object({ name: literal("rollback"), args: object({ environment: EnvironmentName }) }),
  object({ name: literal("approve"), args: object({ token: nullable(ApprovalToken) }) }),
  object({ name: literal("reject"), args: object({ token: nullable(ApprovalToken), reason: nullable(freeText()) }) }),
  object({ name: literal("autonomy"), args: object({ level: AutonomyLevel }) }),
  /** `host` is the address's host (`github.com`, `127.0.0.1:4010`), null when only `owner/repo` was written. */
  object({
    name: literal("link"),
    args: object({ owner: RepositoryOwner, name: RepositoryName, host: nullable(name(260)) }),
  }),
  object({ name: literal("unlink"), args: none }),
  object({ name: literal("alias"), args: object({ alias: Alias, owner: RepositoryOwner, name: RepositoryName }) }),
  object({
    name: literal("schedule"),
    args: discriminatedUnion("mode", [
      object({ mode: literal("add"), cron: name(200), command: freeText() }),
      object({ mode: literal("list") }),
      object({ mode: literal("remove"), id: name(40) }),
    ]),
  }),
  object({ name: literal("role"), args: object({ person: name(200), role: Role }) }),
  object({ name: literal("config set"), args: object({ key: name(100), value: freeText() }) }),
  object({ name: literal("runners revoke"), args: object({ runner: name(100) }) }),
  object({ name: literal("kill"), args: none }),
  object({ name: literal("resume"), args: none }),
]);
export type Command = Infer<typeof Command>;
export type CommandArgs<Name extends CommandName> = Extract<Command, { name: Name }>["args"];
