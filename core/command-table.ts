import type { CommandName } from "./command.ts";
import type { Permission, Risk } from "./permissions.ts";

export type CommandGroup = "Look" | "Work" | "Ship" | "Approve" | "Set up" | "People" | "Emergency";

/** What is known about a command before anyone writes it. `available` is false for what this version only parses. */
export type CommandEntry = {
  name: CommandName;
  aliases: readonly string[];
  group: CommandGroup;
  usage: string;
  example: string;
  summary: string;
  risk: Risk;
  permission: Permission;
  available: boolean;
};

type Texts = [usage: string, example: string, summary: string];

const entry = (
  name: CommandName,
  group: CommandGroup,
  [risk, permission]: [Risk, Permission],
  available: boolean,
  [usage, example, summary]: Texts,
  aliases: readonly string[] = [],
): CommandEntry => ({ name, aliases, group, usage, example, summary, risk, permission, available });

const VIEW: [Risk, Permission] = ["low", "view"];
const IDENTITY: [Risk, Permission] = ["low", "identity"];
const REVIEW: [Risk, Permission] = ["low", "review"];
const TASK: [Risk, Permission] = ["medium", "task"];
const APPROVE: [Risk, Permission] = ["medium", "approve"];
const LINK: [Risk, Permission] = ["medium", "link"];
const MANAGE: [Risk, Permission] = ["medium", "manage"];
const KILL: [Risk, Permission] = ["critical", "kill"];

/** The whole table of design/product.md, "Commands". */
export const COMMANDS: readonly CommandEntry[] = [
  entry("help", "Look", VIEW, true, ["help [command]", "help fix", "what I understand"]),
  entry("status", "Look", VIEW, true, ["status [build|agent|all]", "status agent", "what is going on"]),
  entry("agents", "Look", VIEW, true, ["agents", "agents", "the agents and what each is doing"]),
  entry("logs", "Look", VIEW, true, ["logs [n]", "logs 20", "what agents did lately"]),
  entry("audit", "Look", VIEW, true, [
    "audit [n|verify]",
    "audit verify",
    "the audit trail, or a check that nobody changed it",
  ]),
  entry("prs", "Look", VIEW, true, ["prs [open|closed|all]", "prs open", "the repository's pull requests"]),
  entry("config", "Look", VIEW, true, ["config", "config", "how this project is set up"]),
  entry("permissions", "Look", VIEW, true, ["permissions [person]", "permissions @anna", "who may do what"]),
  entry("context", "Look", VIEW, false, ["context", "context", "what I remember of this project"], ["memory"]),
  entry("usage", "Look", VIEW, true, ["usage", "usage", "what models have cost"]),
  entry("runners", "Look", VIEW, false, ["runners", "runners", "the machines that run sandboxes"]),
  entry("lens", "Look", VIEW, false, [
    "lens <question>",
    "lens which endpoints are slowest?",
    "answer a question from code and data",
  ]),

  entry("instruct", "Work", TASK, true, [
    "instruct <task>",
    "instruct add a health check to the API",
    "do a task and open a pull request",
  ]),
  entry("implement", "Work", TASK, true, [
    "implement <task>",
    "implement password reset by e-mail",
    "build something and open a pull request",
  ]),
  entry("refactor", "Work", TASK, true, [
    "refactor <task>",
    "refactor the payment module",
    "restructure code and open a pull request",
  ]),
  entry("fix", "Work", TASK, true, ["fix <issue>", "fix the login timeout", "fix a fault and open a pull request"]),
  entry("stop", "Work", TASK, true, ["stop [task]", "stop task-7k2m9qxw", "stop a running task"]),
  entry("plan", "Work", TASK, false, ["plan <feature>", "plan single sign-on", "break a feature into steps"]),
  entry("spec", "Work", TASK, false, [
    "spec <feature> | spec design|tasks|status",
    "spec single sign-on",
    "write a specification first",
  ]),
  entry("schedule", "Work", TASK, false, [
    "schedule <cron> <command> | schedule list | schedule remove <id>",
    "schedule 0 9 * * 1-5 status",
    "run a command at set times",
  ]),

  entry("review", "Ship", REVIEW, false, ["review PR #<n>", "review PR #12", "review a pull request"]),
  entry("investigate", "Ship", REVIEW, false, [
    "investigate <what>",
    "investigate the failed build",
    "look for the cause of a failure",
  ]),
  entry("merge", "Ship", ["medium", "merge"], true, [
    "merge PR #<n> [squash|rebase]",
    "merge PR #12 squash",
    "merge a pull request",
  ]),
  entry("deploy", "Ship", ["high", "deploy"], false, [
    "deploy <environment> | deploy <a> then <b> …",
    "deploy staging",
    "deploy, one environment or several in order",
  ]),
  entry("rollback", "Ship", ["critical", "rollback"], false, [
    "rollback <environment>",
    "rollback production",
    "return to what was deployed before",
  ]),

  entry("approve", "Approve", APPROVE, false, [
    "approve [token]",
    "approve dp-7k2m9qxw",
    "vote for what waits for approval",
  ]),
  entry("reject", "Approve", APPROVE, false, [
    "reject [token] [reason]",
    "reject dp-7k2m9qxw tests are missing",
    "vote against what waits for approval",
  ]),

  entry("link", "Set up", LINK, true, [
    "link <owner/repo or URL>",
    "link acme/shop",
    "connect this conversation to a repository",
  ]),
  entry("unlink", "Set up", LINK, true, ["unlink", "unlink", "disconnect this conversation from its repository"]),
  entry("autonomy", "Set up", ["medium", "autonomy"], true, [
    "autonomy L<0-5>",
    "autonomy L2",
    "how much agents do on their own, L0 nothing to L5 most",
  ]),
  entry("alias", "Set up", LINK, false, [
    "alias <name> <owner/repo>",
    "alias shop acme/shop",
    "a short name for a project",
  ]),
  entry("config set", "Set up", MANAGE, false, [
    "config set <key> <value>",
    "config set taskCeiling 5",
    "change how this project is set up",
  ]),
  entry("runners revoke", "Set up", MANAGE, false, [
    "runners revoke <name>",
    "runners revoke builder-1",
    "shut a machine out",
  ]),

  entry("whoami", "People", IDENTITY, true, ["whoami", "whoami", "who I take you for, and your role"]),
  entry("register", "People", IDENTITY, true, ["register <name>", "register Anna Smith", "set the name others see"]),
  entry("claim", "People", IDENTITY, true, [
    "claim <code>",
    "claim 7k2m9qxw4h",
    "become the first owner, with the code from setup",
  ]),
  entry("role", "People", MANAGE, true, ["role <person> <role>", "role @anna maintainer", "give a person a role"]),
  entry("link-me", "People", IDENTITY, false, ["link-me [code]", "link-me", "use one identity in several channels"]),

  entry("kill", "Emergency", KILL, false, ["kill", "kill", "stop every agent at once"]),
  entry("resume", "Emergency", KILL, false, ["resume", "resume", "let agents work again"]),
];

const BY_NAME = new Map<CommandName, CommandEntry>(COMMANDS.map((command) => [command.name, command]));

/** The table's entry of a command. */
export function commandEntry(name: CommandName): CommandEntry {
  const found = BY_NAME.get(name);
  if (found === undefined) throw new Error(`The table of commands has no entry for ${name}.`);
  return found;
}
