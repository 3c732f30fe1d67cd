import type { DrizzleSqliteDODatabase } from "drizzle-orm/durable-sqlite";
import type { Actor } from "#core/audit.ts";
import { type Conversation, conversationKey } from "#core/message.ts";
import type { SetupAnswer, SetupRequest, Standing } from "#core/rpc.ts";
import { repositoryFullName } from "#core/task.ts";
import { type AuditLog, sha256 } from "../mailbox/audit-log.ts";
import type { People } from "./people.ts";
import type { Projects } from "./projects.ts";
import { claimCodes } from "./schema.ts";

const CLAIM_CODE_LIFE_MS = 3_600_000;
const CLAIM_CODE_BYTES = 16;
const SETUP: Actor = { kind: "system", id: "setup", name: "setup" };

export type AdministrationSetup = {
  db: DrizzleSqliteDODatabase;
  audit: AuditLog;
  people: People;
  projects: Projects;
  now: () => number;
};

/** What whoever runs this CodeSpar does, with the administrator's token. All of it is to be called inside a transaction. */
export class Administration {
  readonly #at: AdministrationSetup;

  constructor(setup: AdministrationSetup) {
    this.#at = setup;
  }

  /** Makes sure that the project is there, its conversation linked, and that there is an owner. Again has no further effect. */
  setUp({ project: wanted, conversation }: SetupRequest, at: Conversation, person: Standing): SetupAnswer {
    const { audit, people, projects } = this.#at;
    if (people.owners(null) === 0) {
      people.makeOwner(person.identity);
      audit.append({ actor: SETUP, action: "role", subject: person.identity, details: { project: "", to: "owner" } });
    }
    const { project, created } = projects.ensure(wanted.repository, wanted.name);
    // Someone who unlinked it, or linked it elsewhere, meant it.
    if (!projects.conversation(conversationKey("terminal", at))) {
      projects.link("terminal", at, project.name);
      const details = { repository: repositoryFullName(project.repository), conversation: at.id, created };
      audit.append({ actor: SETUP, action: "setup", subject: project.name, details });
    }
    return { project: project.name, conversation, created };
  }

  /** A code that makes whoever says it first an owner: 128 random bits, kept as a hash, good once and for an hour. */
  createClaimCode(organisation: string): { code: string; expiresAt: string } {
    const { db, audit, now } = this.#at;
    const random = [...crypto.getRandomValues(new Uint8Array(CLAIM_CODE_BYTES))];
    const code = random.map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const expiresAt = now() + CLAIM_CODE_LIFE_MS;
    const row = { hash: sha256(code), expiresAt };
    db.insert(claimCodes).values(row).run();
    audit.append({ actor: SETUP, action: "claim-code", subject: organisation, details: {} });
    return { code, expiresAt: new Date(expiresAt).toISOString() };
  }
}
