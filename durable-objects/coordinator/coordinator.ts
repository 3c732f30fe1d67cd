import type { DeliveryMemory } from "#channels/adapter.ts";
import { type ChannelsEnv, sendersFromEnv } from "#channels/registry.ts";
import { terminalConversation } from "#channels/terminal.ts";
import { type GitHubEnv, gitHubFromEnv, gitHubHost } from "#clients/github-env.ts";
import { organisationChain } from "#core/audit.ts";
import { parseCommand } from "#core/commands.ts";
import { targetOf } from "#core/delivery.ts";
import type { NormalizedMessage } from "#core/message.ts";
import { DEFAULT_POLICIES } from "#core/policies.ts";
import { text } from "#core/response.ts";
import type {
  CoordinatorRpc,
  Namespace,
  OrganisationCommand,
  Performed,
  ProjectAgentRpc,
  ProjectFacts,
  ProjectSummary,
  SetupAnswer,
  SetupRequest,
  Standing,
  StandingQuery,
} from "#core/rpc.ts";
import { repositoryFullName } from "#core/task.ts";
import { type CopyStatement, copyConversation, copyProject, copyWorkspace } from "#db/copies.ts";
import { lt } from "drizzle-orm";
import { type AuditVerdict, verifyAudit } from "../mailbox/audit-verification.ts";
import { entryOfCommand } from "../mailbox/command-entry.ts";
import type { InboxRow } from "../mailbox/inbox.ts";
import { PersistentAgent } from "../mailbox/persistent-agent.ts";
import { notUnderstood, replyIdOf } from "../mailbox/replies.ts";
import { wordsFor } from "../mailbox/words.ts";
import { Administration } from "./administration.ts";
import migrations from "./migrations/migrations.js";
import { People } from "./people.ts";
import { Projects } from "./projects.ts";
import { OrganisationCommands } from "./organisation-commands.ts";
import { performed } from "./schema.ts";

export type CoordinatorEnv = GitHubEnv &
  ChannelsEnv & {
    DB: D1Database;
    PROJECT_AGENT: Namespace<ProjectAgentRpc>;
  };

/** How long after a conversation was linked elsewhere a platform may still repeat what it sent before. */
const REPEATS_WITHIN_MS = 86_400_000;

/** What a conversation that nobody linked to a project is answered (design: product, "Messages"). */
const WITHOUT_PROJECT: ReadonlySet<string> = new Set(["help", "whoami", "claim", "link", "register"]);

/** One per organisation: its projects, conversations, people and their rights. Nothing else writes these. */
export class Coordinator extends PersistentAgent<CoordinatorEnv> implements CoordinatorRpc {
  readonly #people: People;
  readonly #projects: Projects;
  readonly #administration: Administration;
  readonly #commands: OrganisationCommands;
  readonly #agents: Namespace<ProjectAgentRpc>;
  readonly #d1: D1Database;

  constructor(ctx: DurableObjectState, env: CoordinatorEnv) {
    const channels = (memory: DeliveryMemory) => sendersFromEnv(env, memory);
    super(ctx, env, { chainOf: organisationChain, migrations, d1: env.DB, channels });
    this.#people = new People(this.db, this.now);
    this.#projects = new Projects(this.db, this.copies, this.now);
    const { db, audit, now } = this;
    this.#administration = new Administration({ db, audit, people: this.#people, projects: this.#projects, now });
    this.#commands = new OrganisationCommands({
      organisation: this.name,
      db,
      audit,
      outbox: this.outbox,
      copies: this.copies,
      people: this.#people,
      projects: this.#projects,
      now,
      transaction: (change) => this.transaction(change),
      standing: (message) => this.#standing(message),
      connectGitHub: () => gitHubFromEnv(env),
      gitHubHost: gitHubHost(env),
    });
    this.#agents = env.PROJECT_AGENT;
    this.#d1 = env.DB;
    if (this.inbox.hasUnfinished()) this.deadlines.noLaterThan("drain", this.now());
  }

  #agentOf(project: string): ProjectAgentRpc {
    return this.#agents.getByName(`${this.name}/${project}`);
  }

  async standing(query: StandingQuery): Promise<Standing> {
    const { channel, conversation, sender } = query;
    if (!this.#people.byAccount(channel, conversation.workspace, sender.account)) {
      // Asked once, when someone is first seen: some platforms' messages carry only an account's id.
      const name = await this.channels[channel]?.nameOf?.(sender.account);
      if (name) return this.transaction(() => this.#standing({ ...query, sender: { ...sender, name } }));
    }
    return this.transaction(() => this.#standing(query));
  }

  #standing({ channel, conversation, sender }: StandingQuery): Standing {
    const identity =
      this.#people.byAccount(channel, conversation.workspace, sender.account) ??
      this.#enter({ channel, conversation, sender });
    const project = this.#projects.ofConversation(channel, conversation);
    return {
      identity: identity.id,
      name: identity.name,
      role: this.#people.roleOf(identity.id, project?.name ?? null),
      project,
      policies: DEFAULT_POLICIES,
      halted: false,
      formerly: this.#projects.formerly(channel, conversation, this.now() - REPEATS_WITHIN_MS),
    };
  }

  #enter({ channel, conversation, sender }: StandingQuery) {
    const identity = this.#people.add(channel, conversation.workspace, sender);
    this.audit.append({
      actor: { kind: "person", id: identity.id, name: identity.name },
      action: "identity",
      subject: identity.id,
      details: { channel, account: sender.account },
    });
    this.noteCopy();
    return identity;
  }

  async perform(request: OrganisationCommand): Promise<Performed> {
    const result = await this.#commands.perform(request);
    // Confirmed only when the edge routes by it; if D1 does not answer now, the agents pass messages on until it does.
    await this.copyNow().catch((error: unknown) => console.warn("copying to D1 failed", error));
    this.send();
    this.noteCopy();
    return result;
  }

  /** A message of a conversation that the edge knows no project for. */
  protected override async work(row: InboxRow): Promise<void> {
    const { message } = row;
    const { project, formerly } = await this.standing(message);
    if (project) {
      return this.handOver(row, this.#agentOf(project.name));
    }
    const former = formerly.filter((name) => name !== "").map((name) => this.#agentOf(name));
    const known = await Promise.all(former.map((agent) => agent.knows(row.key)));
    // A repeat from before the conversation was unlinked: its reply is that agent's.
    if (known.includes(true)) return this.transaction(() => this.inbox.finish(row.sequence));
    this.inbox.keep(row.sequence);
    if (this.isTalk(message)) return this.transaction(() => this.inbox.finish(row.sequence));
    const parsed = parseCommand(message.text);
    const answer = await this.#answerWithoutProject(message, parsed);
    this.transaction(() => this.#answer(row, answer));
  }

  async #answerWithoutProject(message: NormalizedMessage, parsed: ReturnType<typeof parseCommand>): Promise<Performed> {
    if (parsed.ok && WITHOUT_PROJECT.has(parsed.command.name))
      return this.perform({ message, command: parsed.command });
    const asked = parsed.ok
      ? entryOfCommand(message, parsed.command.name, parsed.command.args)
      : entryOfCommand(message, "not understood", { kind: parsed.kind });
    this.transaction(() => this.#commands.record(this.#standing(message), asked));
    if (!parsed.ok) return { ok: false, blocks: notUnderstood(parsed) };
    const words =
      "This conversation is not linked to a project, so nobody here can do that. `link owner/repo` links it; `help` lists the rest.";
    return { ok: false, blocks: [text(words)] };
  }

  #answer(row: InboxRow, { ok, blocks }: Performed): void {
    const { message } = row;
    this.outbox.post(
      { id: replyIdOf(message), kind: "final", ok, target: targetOf(message), inReplyTo: message.id, blocks },
      this.now(),
    );
    this.inbox.finish(row.sequence);
  }

  protected override giveUp(row: InboxRow, error: unknown): void {
    this.#answer(row, { ok: false, blocks: [text(wordsFor(error))] });
  }

  async setup(request: SetupRequest): Promise<SetupAnswer> {
    const { account, name, conversation } = request;
    const at = terminalConversation(account, conversation);
    const answer = this.transaction(() => {
      const person = this.#standing({ channel: "terminal", conversation: at, sender: { account, name } });
      return this.#administration.setUp(request, at, person);
    });
    await this.copyNow();
    return answer;
  }

  async createClaimCode(): Promise<{ code: string; expiresAt: string }> {
    return this.transaction(() => this.#administration.createClaimCode(this.name));
  }

  async verifyAudit(): Promise<AuditVerdict> {
    await this.copyNow();
    return verifyAudit(this.audit, this.#d1);
  }

  async projects(): Promise<ProjectFacts[]> {
    return this.#projects.list();
  }

  async overview(): Promise<ProjectSummary[]> {
    return Promise.all(
      this.#projects.list().map(async ({ name, repository }) => ({
        name,
        repository: repositoryFullName(repository),
        ...(await this.#agents.getByName(`${this.name}/${name}`).summary()),
      })),
    );
  }

  protected override onDeadline(): void {}

  protected override prune(time: number): void {
    this.db.delete(performed).where(lt(performed.at, time)).run();
  }

  protected override readCopy(kind: string, id: string): CopyStatement | null {
    const organisation = this.name;
    if (kind === "project") {
      const project = this.#projects.find(id);
      if (!project) return null;
      return copyProject({
        organisation,
        name: id,
        repository: repositoryFullName(project.repository),
        createdAt: this.#projects.createdAt(id),
      });
    }
    if (kind === "conversation") {
      const row = this.#projects.conversation(id);
      return row ? copyConversation({ ...row, organisation }) : null;
    }
    const [channel, workspace] = JSON.parse(id) as [string, string];
    return copyWorkspace({ organisation, channel, workspace });
  }
}
