import { and, eq, gt, sql } from "drizzle-orm";
import type { DrizzleSqliteDODatabase } from "drizzle-orm/durable-sqlite";
import { type ChannelName, type Conversation, conversationKey } from "#core/message.ts";
import { type AutonomyLevel, DEFAULT_AUTONOMY } from "#core/permissions.ts";
import type { ProjectFacts } from "#core/rpc.ts";
import type { RepositoryName } from "#core/task.ts";
import type { Copies } from "../mailbox/copies.ts";
import { conversations, formerProjects, projects } from "./schema.ts";

type Row = typeof projects.$inferSelect;

const factsOf = ({ name, owner, repository, autonomy }: Row): ProjectFacts => ({
  name,
  repository: { owner, name: repository },
  autonomy: autonomy as AutonomyLevel,
});

/** The register of projects and of the conversations linked to them. Changes are to be made inside a transaction. */
export class Projects {
  readonly #db: DrizzleSqliteDODatabase;
  readonly #copies: Copies;
  readonly #now: () => number;

  constructor(db: DrizzleSqliteDODatabase, copies: Copies, now: () => number) {
    this.#db = db;
    this.#copies = copies;
    this.#now = now;
  }

  find(name: string): ProjectFacts | undefined {
    const row = this.#db.select().from(projects).where(eq(projects.name, name)).get();
    return row && factsOf(row);
  }

  createdAt(name: string): number {
    return this.#db.select().from(projects).where(eq(projects.name, name)).get()?.createdAt ?? 0;
  }

  list(): ProjectFacts[] {
    return this.#db.select().from(projects).orderBy(projects.name).all().map(factsOf);
  }

  byRepository({ owner, name }: RepositoryName): ProjectFacts | undefined {
    const row = this.#db
      .select()
      .from(projects)
      .where(and(sql`lower(${projects.owner}) = lower(${owner})`, sql`lower(${projects.repository}) = lower(${name})`))
      .get();
    return row && factsOf(row);
  }

  /** The project of a repository, made if there is none: named after the repository, or after its owner too. */
  ensure(repository: RepositoryName, wanted = repository.name): { project: ProjectFacts; created: boolean } {
    const known = this.byRepository(repository);
    if (known) return { project: known, created: false };
    const name = this.#freeName(asName(wanted), asName(`${repository.owner}-${repository.name}`));
    const row = {
      name,
      owner: repository.owner,
      repository: repository.name,
      autonomy: DEFAULT_AUTONOMY,
      createdAt: this.#now(),
    };
    this.#db.insert(projects).values(row).run();
    this.#copies.note("project", name);
    return { project: factsOf(row), created: true };
  }

  #freeName(plain: string, full: string): string {
    if (!this.find(plain)) return plain;
    let name = full;
    // `a-b/c` and `a/b-c` come to the same.
    for (let number = 2; this.find(name); number += 1) name = `${full.slice(0, 90)}-${number}`;
    return name;
  }

  setAutonomy(name: string, autonomy: AutonomyLevel): void {
    this.#db.update(projects).set({ autonomy }).where(eq(projects.name, name)).run();
  }

  ofConversation(channel: ChannelName, conversation: Conversation): ProjectFacts | null {
    const row = this.#db
      .select({ project: conversations.project })
      .from(conversations)
      .where(eq(conversations.key, conversationKey(channel, conversation)))
      .get();
    return (row?.project && this.find(row.project)) || null;
  }

  conversation(key: string) {
    return this.#db.select().from(conversations).where(eq(conversations.key, key)).get();
  }

  /** The conversations that see what concerns a project. */
  conversationsOf(project: string): { channel: ChannelName; conversation: Conversation }[] {
    return this.#db
      .select()
      .from(conversations)
      .where(eq(conversations.project, project))
      .all()
      .map(({ channel, workspace, conversation }) => ({
        channel: channel as ChannelName,
        conversation: { workspace, id: conversation, thread: null },
      }));
  }

  /** The projects (empty: none) that a conversation belonged to until after `since`, and does not now. */
  formerly(channel: ChannelName, conversation: Conversation, since: number): string[] {
    const key = conversationKey(channel, conversation);
    const now = this.conversation(key)?.project ?? "";
    return this.#db
      .select({ project: formerProjects.project })
      .from(formerProjects)
      .where(and(eq(formerProjects.conversation, key), gt(formerProjects.until, since)))
      .all()
      .map(({ project }) => project)
      .filter((project) => project !== now);
  }

  /** Notes what a conversation belongs to now, before it is linked elsewhere. */
  leave(channel: ChannelName, conversation: Conversation): void {
    const key = conversationKey(channel, conversation);
    const former = { conversation: key, project: this.conversation(key)?.project ?? "", until: this.#now() };
    this.#db
      .insert(formerProjects)
      .values(former)
      .onConflictDoUpdate({
        target: [formerProjects.conversation, formerProjects.project],
        set: { until: former.until },
      })
      .run();
  }

  /** Links a conversation to a project, or with null to none. */
  link(channel: ChannelName, { workspace, id }: Conversation, project: string | null): void {
    const key = conversationKey(channel, { workspace, id, thread: null });
    this.#db
      .insert(conversations)
      .values({ key, channel, workspace, conversation: id, project, revision: 1 })
      .onConflictDoUpdate({
        target: conversations.key,
        set: { project: sql`excluded.project`, revision: sql`${conversations.revision} + 1` },
      })
      .run();
    this.#copies.note("conversation", key);
  }
}

const asName = (wanted: string): string => {
  const name = wanted
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .slice(0, 99);
  return name === "" ? "project" : name;
};
