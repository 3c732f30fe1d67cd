import { eq } from "drizzle-orm";
import type { DrizzleSqliteDODatabase } from "drizzle-orm/durable-sqlite";
import type { GitHub } from "#clients/github.ts";
import type { Command, CommandArgs } from "#core/command.ts";
import { helpText } from "#core/command-help.ts";
import { InvalidInputError } from "#core/errors.ts";
import type { NormalizedMessage } from "#core/message.ts";
import { type AutonomyLevel, permissionsOf } from "#core/permissions.ts";
import { fields, text } from "#core/response.ts";
import type { Performed, Standing } from "#core/rpc.ts";
import { type RepositoryName, repositoryFullName } from "#core/task.ts";
import { type AuditFields, sha256 } from "../mailbox/audit-log.ts";
import type { Copies } from "../mailbox/copies.ts";
import { notAvailable } from "../mailbox/words.ts";
import type { People } from "./people.ts";
import type { Projects } from "./projects.ts";
import { claimCodes, workspaces } from "./schema.ts";

export type Desk = {
  organisation: string;
  db: DrizzleSqliteDODatabase;
  people: People;
  projects: Projects;
  copies: Copies;
  now: () => number;
  record: (fields: Omit<AuditFields, "actor">) => void;
  /** Tells every other conversation of the project. */
  announce: (project: string, words: string) => void;
  message: NormalizedMessage;
  standing: Standing;
};

const did = (words: string): Performed => ({ ok: true, blocks: [text(words)] });
const didNot = (words: string): Performed => ({ ok: false, blocks: [text(words)] });

/** Makes the sender an owner of the organisation, and the workspace the organisation's. The code is the authority. */
function claim(
  { code }: CommandArgs<"claim">,
  { db, people, copies, now, record, message, standing, organisation }: Desk,
): Performed {
  const hash = sha256(code);
  const found = db.select().from(claimCodes).where(eq(claimCodes.hash, hash)).get();
  const ask = "Ask for a new one: whoever runs CodeSpar prints it with `codespar claim-code`.";
  if (!found) return didNot(`That code is not one of ${organisation}'s. ${ask}`);
  if (found.usedAt !== null) return didNot(`That code was used already; a code works once. ${ask}`);
  if (found.expiresAt <= now()) return didNot(`That code has expired; a code is good for an hour. ${ask}`);
  db.update(claimCodes).set({ usedAt: now() }).where(eq(claimCodes.hash, hash)).run();
  people.makeOwner(standing.identity);
  const { channel, conversation } = message;
  db.insert(workspaces)
    .values({ channel, workspace: conversation.workspace, claimedAt: now() })
    .onConflictDoNothing()
    .run();
  copies.note("workspace", JSON.stringify([channel, conversation.workspace]));
  record({
    action: "claim",
    subject: standing.identity,
    details: { role: "owner", channel, workspace: conversation.workspace },
  });
  return did(
    `${standing.name} is now an owner of ${organisation}. \`link owner/repo\` links this conversation to a repository.`,
  );
}

function register({ name }: CommandArgs<"register">, { people, record, standing }: Desk): Performed {
  people.rename(standing.identity, name);
  record({ action: "register", subject: standing.identity, details: { from: standing.name, to: name } });
  return did(`You are ${name} from now on. (A name is only a name: it gives no rights and links no accounts.)`);
}

/** Checks who is meant; a person, or why none. */
function personNamed(written: string, people: People): { id: string; name: string } | Performed {
  const found = people.named(written);
  const [person] = found;
  if (!person)
    return didNot(
      `Nobody called “${written}” has written here yet. Once they have (\`whoami\` is enough), name them as it tells them.`,
    );
  if (found.length > 1)
    return didNot(
      `“${written}” could be ${found.map(({ id, name }) => `${name} (${id})`).join(", or ")}. Name them by that id.`,
    );
  return person;
}

export const isPerformed = (value: object): value is Performed => "blocks" in value;

/** The person a `role` command is about, for deciding on it. */
export const subjectOfRole = (args: CommandArgs<"role">, people: People) => personNamed(args.person, people);

function role(args: CommandArgs<"role">, { people, record, announce, standing }: Desk): Performed {
  const person = personNamed(args.person, people);
  if (isPerformed(person)) return person;
  const project = standing.project?.name ?? null;
  const before = people.roleOf(person.id, project);
  if (before === args.role) return did(`${person.name} is ${args.role} here already.`);
  if (before === "owner" && people.owners(project) === 1) {
    return didNot(`${person.name} is the only owner here. Make someone else an owner first.`);
  }
  people.setRole(person.id, project, args.role);
  record({ action: "role", subject: person.id, details: { project: project ?? "", from: before, to: args.role } });
  const words = `${person.name} is now ${args.role} in ${project ?? "the organisation"}, was ${before}; set by ${standing.name}.`;
  if (project !== null) announce(project, words);
  return did(words);
}

function permissions({ person: written }: CommandArgs<"permissions">, { people, standing }: Desk): Performed {
  const project = standing.project?.name ?? null;
  if (written !== null) {
    const person = personNamed(written, people);
    if (isPerformed(person)) return person;
    const has = people.roleOf(person.id, project);
    return { ok: true, blocks: [fields({ Person: person.name, Role: has, May: permissionsOf(has).join(", ") })] };
  }
  // A list, not a record: two people may have the same name.
  const rows = people
    .list()
    .slice(0, 50)
    .map(({ id, name, accounts }) => ({
      label: name,
      value: `${people.roleOf(id, project)} (${accounts.join(", ")})`,
    }));
  return { ok: true, blocks: [text(`Roles in ${project ?? "the organisation"}:`), { type: "fields", fields: rows }] };
}

function autonomy({ level }: { level: AutonomyLevel }, { projects, record, announce, standing }: Desk): Performed {
  const { project } = standing;
  if (!project) return didNot("This conversation is not linked to a project. `link owner/repo` does that.");
  if (project.autonomy === level) return did(`${project.name} is at L${level} already.`);
  projects.setAutonomy(project.name, level);
  record({ action: "autonomy", subject: project.name, details: { from: project.autonomy, to: level } });
  const words = `${project.name} is at autonomy L${level} now, was L${project.autonomy}; set by ${standing.name}.`;
  announce(project.name, words);
  return did(words);
}

function unlink({ projects, record, message, standing }: Desk): Performed {
  if (!standing.project) return didNot("This conversation is not linked to a project.");
  projects.leave(message.channel, message.conversation);
  projects.link(message.channel, message.conversation, null);
  record({
    action: "unlink",
    subject: standing.project.name,
    details: { channel: message.channel, conversation: message.conversation.id },
  });
  return did(
    `This conversation is no longer linked to ${standing.project.name}. The project and its history stay; \`link ${repositoryFullName(standing.project.repository)}\` links it again.`,
  );
}

/** Asks GitHub first: a link to a repository that cannot be read helps nobody. `host` is where repositories are linked from. */
export async function repositoryToLink(
  args: CommandArgs<"link">,
  github: GitHub,
  host: string,
): Promise<RepositoryName> {
  if (args.host !== null && args.host.toLowerCase() !== host.toLowerCase()) {
    throw new InvalidInputError(
      `Repositories are linked from ${host}; ${args.host} is another place. Nothing was linked.`,
    );
  }
  const { fullName } = await github.repository({ owner: args.owner, name: args.name });
  const [owner = args.owner, name = args.name] = fullName.split("/");
  return { owner, name };
}

function link(repository: { owner: string; name: string }, { projects, record, message, standing }: Desk): Performed {
  const { project, created } = projects.ensure(repository);
  const full = repositoryFullName(project.repository);
  if (standing.project?.name === project.name) return did(`This conversation is linked to ${full} already.`);
  projects.leave(message.channel, message.conversation);
  projects.link(message.channel, message.conversation, project.name);
  record({
    action: "link",
    subject: project.name,
    details: { repository: full, channel: message.channel, conversation: message.conversation.id, created },
  });
  return did(
    `This conversation is linked to ${full}${created ? ", a new project here" : ""}. Try \`status\`, or \`fix …\` with something to fix.`,
  );
}

/** Does what a command asks for. `repository` is what GitHub said of the one to link. To be called inside a transaction. */
export function perform(command: Command, repository: RepositoryName | null, desk: Desk): Performed {
  switch (command.name) {
    case "claim":
      return claim(command.args, desk);
    case "register":
      return register(command.args, desk);
    case "role":
      return role(command.args, desk);
    case "permissions":
      return permissions(command.args, desk);
    case "autonomy":
      return autonomy(command.args, desk);
    case "unlink":
      return unlink(desk);
    case "link":
      return repository ? link(repository, desk) : didNot(notAvailable("link"));
    case "help":
      return { ok: true, blocks: helpText(command.args.command) };
    case "whoami":
      return whoami(desk);
    default:
      return didNot(notAvailable(command.name));
  }
}

function whoami({ message, standing }: Desk): Performed {
  const blocks = [
    fields({
      You: standing.name,
      Identity: standing.identity,
      Account: `${message.sender.account} on ${message.channel}`,
      Role: standing.role,
      Project: "none: this conversation is not linked",
    }),
  ];
  return { ok: true, blocks };
}
