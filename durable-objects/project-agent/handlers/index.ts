import { helpText } from "#core/command-help.ts";
import { type Handlers, aside, done, later, now } from "./handler.ts";
import {
  auditList,
  auditVerify,
  config,
  listAgents,
  logs,
  statusOfAll,
  statusOfProject,
  usage,
  whoami,
} from "./looking.ts";
import { listPullRequests, merge, statusOfBuild } from "./pull-requests.ts";
import { startTask, stop } from "./working.ts";

/** Commands whose effect is on the organisation's state: the Coordinator decides again, performs, and audits them. */
const byCoordinator = () => later(({ coordinator, message, command }) => coordinator.perform({ message, command }));

const STATUS = {
  project: now(statusOfProject),
  agent: now(listAgents),
  build: aside(statusOfBuild),
  all: aside(statusOfAll),
};

export const HANDLERS: Handlers = {
  help: ({ command }) => now(() => done(...helpText(command))),
  status: ({ scope }) => STATUS[scope],
  agents: () => now(listAgents),
  usage: () => now(usage),
  logs: ({ count }) => now((context) => logs(count, context)),
  audit: (args) => (args.mode === "verify" ? aside(auditVerify) : now((context) => auditList(args.count, context))),
  prs: ({ state }) => aside((context) => listPullRequests(state, context)),
  config: () => now(config),
  permissions: byCoordinator,
  whoami: () => now(whoami),
  register: byCoordinator,
  claim: byCoordinator,
  role: byCoordinator,
  link: byCoordinator,
  unlink: byCoordinator,
  autonomy: byCoordinator,
  instruct: ({ task }) => now((context) => startTask("instruct", task, context)),
  implement: ({ task }) => now((context) => startTask("implement", task, context)),
  refactor: ({ task }) => now((context) => startTask("refactor", task, context)),
  fix: ({ issue }) => now((context) => startTask("fix", issue, context)),
  stop: ({ taskId }) => now((context) => stop(taskId, context)),
  merge: (args) => later((context) => merge(args, context)),
  context: null,
  runners: null,
  "link-me": null,
  review: null,
  investigate: null,
  lens: null,
  plan: null,
  spec: null,
  deploy: null,
  rollback: null,
  approve: null,
  reject: null,
  alias: null,
  schedule: null,
  "config set": null,
  "runners revoke": null,
  kill: null,
  resume: null,
};
