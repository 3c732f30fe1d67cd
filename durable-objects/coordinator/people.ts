import { and, eq, inArray, sql } from "drizzle-orm";
import type { DrizzleSqliteDODatabase } from "drizzle-orm/durable-sqlite";
import { type ChannelName, type Sender, accountKey } from "#core/message.ts";
import type { Role } from "#core/permissions.ts";
import { accounts, identities, roles } from "./schema.ts";

export type Identity = typeof identities.$inferSelect;

/** The role of someone nobody has given one. */
const DEFAULT_ROLE: Role = "read-only";
const EVERYWHERE = "";

/** Identities, the accounts linked to them, and their roles. Changes are to be made inside a transaction. */
export class People {
  readonly #db: DrizzleSqliteDODatabase;
  readonly #now: () => number;

  constructor(db: DrizzleSqliteDODatabase, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  byAccount(channel: ChannelName, workspace: string, account: string): Identity | undefined {
    return this.#db
      .select({ id: identities.id, name: identities.name, createdAt: identities.createdAt })
      .from(accounts)
      .innerJoin(identities, eq(identities.id, accounts.identity))
      .where(eq(accounts.key, accountKey(channel, workspace, account)))
      .get();
  }

  /** Enters a person that an account was seen of for the first time. Whoever that is may only read. */
  add(channel: ChannelName, workspace: string, sender: Sender): Identity {
    const identity = {
      id: `person-${crypto.randomUUID()}`,
      name: sender.name || sender.account,
      createdAt: this.#now(),
    };
    this.#db.insert(identities).values(identity).run();
    this.#db
      .insert(accounts)
      .values({
        key: accountKey(channel, workspace, sender.account),
        channel,
        account: sender.account,
        identity: identity.id,
      })
      .run();
    return identity;
  }

  rename(id: string, name: string): void {
    this.#db.update(identities).set({ name }).where(eq(identities.id, id)).run();
  }

  /** The role in a project, or else the organisation-wide one, or else read-only. */
  roleOf(identity: string, project: string | null): Role {
    const found = this.#db
      .select()
      .from(roles)
      .where(and(eq(roles.identity, identity), inArray(roles.project, [EVERYWHERE, project ?? EVERYWHERE])))
      .all();
    const here = found.find((row) => row.project === project) ?? found.find((row) => row.project === EVERYWHERE);
    return here?.role ?? DEFAULT_ROLE;
  }

  /** Sets a role in a project, or with null the organisation-wide one. */
  setRole(identity: string, project: string | null, role: Role): void {
    this.#db
      .insert(roles)
      .values({ identity, project: project ?? EVERYWHERE, role })
      .onConflictDoUpdate({ target: [roles.identity, roles.project], set: { role: sql`excluded.role` } })
      .run();
  }

  /** Makes someone an owner of the organisation, and with it of every project. */
  makeOwner(identity: string): void {
    this.#db.delete(roles).where(eq(roles.identity, identity)).run();
    this.setRole(identity, null, "owner");
  }

  /** The first 500 who were seen here, with the accounts they are known by. */
  list(): (Identity & { accounts: string[] })[] {
    const people = this.#db.select().from(identities).orderBy(identities.createdAt).limit(500).all();
    const linked = this.#db.select().from(accounts).all();
    return people.map((person) => ({
      ...person,
      accounts: linked
        .filter(({ identity }) => identity === person.id)
        .map(({ channel, account }) => `${account} on ${channel}`),
    }));
  }

  /**
   * Who is meant by what someone wrote: a mention (`<@U1>`, `@name`), an account, an identity, or a display name. Names
   * can be anyone's, so more than one answer is possible.
   */
  named(written: string): Identity[] {
    const wanted = written
      .replace(/^<@!?([^>]+)>$/, "$1")
      .replace(/^@/, "")
      .trim();
    const byAccount = this.#db
      .select({ id: identities.id, name: identities.name, createdAt: identities.createdAt })
      .from(accounts)
      .innerJoin(identities, eq(identities.id, accounts.identity))
      .where(eq(accounts.account, wanted))
      .all();
    const byName = this.#db
      .select()
      .from(identities)
      .where(sql`lower(${identities.name}) = lower(${wanted}) or ${identities.id} = ${wanted}`)
      .all();
    const byId = byName.filter(({ id }) => id === wanted);
    // Nobody can take what an id or an account says, by calling themselves that.
    const found = byId.length > 0 ? byId : byAccount.length > 0 ? byAccount : byName;
    return [...new Map(found.map((person) => [person.id, person])).values()];
  }

  /** How many owners there are in a project: people who own it or the organisation. */
  owners(project: string | null): number {
    const given = this.#db
      .select()
      .from(roles)
      .where(inArray(roles.project, [EVERYWHERE, project ?? EVERYWHERE]))
      .all();
    const here = new Map(
      given.filter((row) => row.project === EVERYWHERE).map(({ identity, role }) => [identity, role]),
    );
    for (const row of given) if (row.project === project) here.set(row.identity, row.role);
    return [...here.values()].filter((role) => role === "owner").length;
  }
}
