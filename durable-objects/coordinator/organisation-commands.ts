import { eq } from "drizzle-orm";
import type { DrizzleSqliteDODatabase } from "drizzle-orm/durable-sqlite";
import type { GitHub } from "#clients/github.ts";
import type { Command, CommandArgs } from "#core/command.ts";
import { type NormalizedMessage, conversationKey } from "#core/message.ts";
import { permissionsOf } from "#core/permissions.ts";
import { text } from "#core/response.ts";
import type { OrganisationCommand, Performed, Standing } from "#core/rpc.ts";
import { type RepositoryName, repositoryFullName } from "#core/task.ts";
import type { AuditFields, AuditLog } from "../mailbox/audit-log.ts";
import { entryOfCommand } from "../mailbox/command-entry.ts";
import type { Copies } from "../mailbox/copies.ts";
import { type DecisionFacts, decideAndRecord } from "../mailbox/decisions.ts";
import { deliveryKey } from "../mailbox/inbox.ts";
import type { Outbox } from "../mailbox/outbox.ts";
import { announcementIdOf } from "../mailbox/replies.ts";
import { approvalNeeded, isExpected, wordsFor } from "../mailbox/words.ts";
import { isPerformed, perform, repositoryToLink, subjectOfRole } from "./commands.ts";
import type { People } from "./people.ts";
import type { Projects } from "./projects.ts";
import { performed } from "./schema.ts";

export type OrganisationCommandsSetup = {
  organisation: string;
  db: DrizzleSqliteDODatabase;
  audit: AuditLog;
  outbox: Outbox;
  copies: Copies;
  people: People;
  projects: Projects;
  now: () => number;
  transaction: <T>(change: () => T) => T;
  standing: (message: NormalizedMessage) => Standing;
  connectGitHub: () => GitHub;
  /** The host that repositories' addresses have. */
  gitHubHost: string;
};

/** Commands on the organisation's state: decided with it, done in one transaction, and each delivery's once. */
export class OrganisationCommands {
  readonly #at: OrganisationCommandsSetup;

  constructor(setup: OrganisationCommandsSetup) {
    this.#at = setup;
  }

  /** Decides and performs. A repeat of the delivery gets the first one's answer and has no effect. */
  async perform({ message, command }: OrganisationCommand): Promise<Performed> {
    const { transaction, standing } = this.#at;
    const key = deliveryKey(message);
    const refused = transaction(() => {
      const before = this.#answered(key);
      if (before) return before;
      const asker = standing(message);
      this.record(asker, entryOfCommand(message, command.name, command.args));
      const refusal = this.#refusal(message, command, asker);
      if (refusal) this.#keep(key, refusal);
      return refusal;
    });
    if (refused) return refused;
    const repository = command.name === "link" ? await this.#repositoryOf(command.args) : null;
    // In words here already: an error's class does not survive the way to another object.
    if (repository && "blocks" in repository) return repository;
    return transaction(() => {
      const before = this.#answered(key);
      if (before) return before;
      const answer =
        (repository && this.#refusalToLink(message, command, repository)) ?? this.#act(message, command, repository);
      this.#keep(key, answer);
      return answer;
    });
  }

  #answered(key: string): Performed | null {
    const row = this.#at.db.select().from(performed).where(eq(performed.key, key)).get();
    return row ? (row.result as Performed) : null;
  }

  #keep(key: string, result: Performed): void {
    this.#at.db.insert(performed).values({ key, result, at: this.#at.now() }).run();
  }

  record(standing: Standing, entry: Omit<AuditFields, "actor">): void {
    this.#at.audit.append({ actor: { kind: "person", id: standing.identity, name: standing.name }, ...entry });
  }

  async #repositoryOf(args: CommandArgs<"link">): Promise<RepositoryName | Performed> {
    try {
      return await repositoryToLink(args, this.#at.connectGitHub(), this.#at.gitHubHost);
    } catch (error) {
      if (!isExpected(error)) throw error;
      return { ok: false, blocks: [text(wordsFor(error))] };
    }
  }

  /**
   * A conversation may be linked to a project only by someone who may link in that project, or for a new one in the
   * organisation: otherwise whoever may link anywhere could look everywhere. Decided in the transaction that acts.
   */
  #refusalToLink(message: NormalizedMessage, command: Command, repository: RepositoryName): Performed | null {
    const { projects, people, standing } = this.#at;
    const here = standing(message);
    const project = projects.byRepository(repository) ?? null;
    const there = { ...here, role: people.roleOf(here.identity, project?.name ?? null), project };
    const about = project?.name ?? repositoryFullName(repository);
    return this.#refusal(message, command, here) ?? this.#refusal(message, command, there, { about });
  }

  #refusal(
    message: NormalizedMessage,
    command: Command,
    standing: Standing,
    facts: DecisionFacts = {},
  ): Performed | null {
    const raisesOwnRights = command.name === "role" && this.#raisesOwnRights(standing, command.args);
    const asked = { message, command, standing };
    const { decision } = decideAndRecord(this.#at.audit, asked, { ...facts, raisesOwnRights }, this.#at.now());
    return decision.effect === "allow" ? null : { ok: false, blocks: [text(approvalNeeded(command.name, decision))] };
  }

  #raisesOwnRights(standing: Standing, args: CommandArgs<"role">): boolean {
    const person = subjectOfRole(args, this.#at.people);
    if (isPerformed(person) || person.id !== standing.identity) return false;
    const has = new Set(permissionsOf(standing.role));
    return permissionsOf(args.role).some((permission) => !has.has(permission));
  }

  #act(message: NormalizedMessage, command: Command, repository: RepositoryName | null): Performed {
    const { organisation, db, people, projects, copies, now } = this.#at;
    const standing = this.#at.standing(message);
    return perform(command, repository, {
      organisation,
      db,
      people,
      projects,
      copies,
      now,
      record: (entry) => this.record(standing, entry),
      announce: (project, words) => this.#announce(message, project, words),
      message,
      standing,
    });
  }

  #announce(message: NormalizedMessage, project: string, words: string): void {
    const { projects, outbox, now } = this.#at;
    const here = conversationKey(message.channel, message.conversation);
    for (const { channel, conversation } of projects.conversationsOf(project)) {
      const there = conversationKey(channel, conversation);
      if (there === here) continue;
      const target = { channel, conversation, replyTo: null };
      const id = announcementIdOf(message, there);
      outbox.post({ id, kind: "announcement", ok: true, target, inReplyTo: "", blocks: [text(words)] }, now());
    }
  }
}
