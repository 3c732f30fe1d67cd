import { channelsInWords, sendersFromEnv } from "#channels/registry.ts";
import { gitHubFromEnv } from "#clients/github-env.ts";
import { projectChain } from "#core/audit.ts";
import type { Command, CommandName } from "#core/command.ts";
import { commandEntry } from "#core/command-table.ts";
import { type ParsedCommand, parseCommand } from "#core/commands.ts";
import { InvalidInputError } from "#core/errors.ts";
import { targetOf } from "#core/delivery.ts";
import { type Block, text } from "#core/response.ts";
import type {
  AgentSummary,
  CoordinatorRpc,
  MessageReceiver,
  Namespace,
  ProjectAgentRpc,
  ProjectFacts,
  Standing,
} from "#core/rpc.ts";
import type { Reservation, Reserved, ReportAnswer, TaskReport, TaskRun, TaskSpec } from "#core/task.ts";
import type { CopyStatement } from "#db/copies.ts";
import { entryOfCommand } from "../mailbox/command-entry.ts";
import { decideAndRecord } from "../mailbox/decisions.ts";
import type { InboxRow } from "../mailbox/inbox.ts";
import { PersistentAgent } from "../mailbox/persistent-agent.ts";
import { Standings } from "../mailbox/standings.ts";
import { notUnderstood, replyIdOf } from "../mailbox/replies.ts";
import { wordsFor } from "../mailbox/words.ts";
import { type Answer, type Context, workOf } from "./handlers/handler.ts";
import { HANDLERS } from "./handlers/index.ts";
import { Budget } from "./budget.ts";
import { limitsOf, namesOf, type ProjectAgentEnv } from "./env.ts";
import { changesStandings, onlyLooks, refusal } from "./judgements.ts";
import migrations from "./migrations/migrations.js";
import { AgentRegister } from "./register.ts";
import { TaskRunner } from "./task-runner.ts";
import { type TaskRow, Tasks } from "./tasks.ts";

const DEFAULT_WATCHDOG_MS = 15_000;
const WATCH = "watch:";
const MOVED_MEANWHILE = "This conversation was linked elsewhere meanwhile. Nothing was done; ask again.";

/** A project's agent: it receives every message of its project, decides, delegates, remembers. */
export class ProjectAgent extends PersistentAgent<ProjectAgentEnv> implements ProjectAgentRpc {
  readonly #organisation: string;
  readonly #project: string;
  readonly #coordinators: Namespace<CoordinatorRpc>;
  readonly #agents: Namespace<MessageReceiver>;
  readonly #standings: Standings;
  readonly #register: AgentRegister;
  readonly #tasks: Tasks;
  readonly #budget: Budget;
  readonly #channelsInWords: string;
  readonly #mode: TaskSpec["mode"];
  readonly #runner: TaskRunner;
  readonly #d1: D1Database;
  /** Ended by the transaction that runs now; their Workflows are terminated after it. */
  readonly #stopped: TaskRow[] = [];
  readonly #connectGitHub;

  constructor(ctx: DurableObjectState, env: ProjectAgentEnv) {
    super(ctx, env, {
      chainOf: (name) => projectChain(...namesOf(name)),
      migrations,
      d1: env.DB,
      channels: (memory) => sendersFromEnv(env, memory),
    });
    [this.#organisation, this.#project] = namesOf(this.name);
    this.#coordinators = env.COORDINATOR;
    this.#agents = env.PROJECT_AGENT;
    this.#standings = new Standings(() => this.#coordinator, this.now);
    this.#d1 = env.DB;
    this.#connectGitHub = () => gitHubFromEnv(env);
    this.#register = new AgentRegister(this.db, this.audit, this.copies, this.now);
    this.#budget = new Budget(this.db, this.now, limitsOf(env));
    this.#channelsInWords = channelsInWords(env);
    this.#mode = env.ANTHROPIC_API_KEY ? "edge" : "simulation";
    this.#tasks = new Tasks({
      db: this.db,
      audit: this.audit,
      outbox: this.outbox,
      copies: this.copies,
      deadlines: this.deadlines,
      register: this.#register,
      budget: this.#budget,
      now: this.now,
      watchdogMs: Number(env.WATCHDOG_MS) || DEFAULT_WATCHDOG_MS,
    });
    this.#runner = new TaskRunner(env.TASK_AGENT);
    this.#wake();
  }

  #agentOf(project: string): MessageReceiver {
    return this.#agents.getByName(`${this.#organisation}/${project}`);
  }

  /** Another stub each time: one whose object crashed stays broken. */
  get #coordinator(): CoordinatorRpc {
    return this.#coordinators.getByName(this.#organisation);
  }

  /** Enters itself into the register, and takes up what a crash left unfinished. */
  #wake(): void {
    this.transaction(() => {
      if (!this.#register.find(this.#project)) this.#register.add(this.#project, "project");
      // Waking from hibernation leaves no message half worked on; a crash does.
      else if (this.inbox.hasUnfinished()) this.#register.recover(this.#project);
      this.#register.settle(this.#project, this.#tasks.areUnfinished());
    });
    const running = this.#tasks.unfinished().filter(({ status }) => status === "running");
    // Their Workflows may have been stopped by the same crash, and locally only go on when touched.
    for (const { id } of running) this.deadlines.noLaterThan(`${WATCH}${id}`, this.now());
    this.#runner.start(this.transaction(() => this.#startNext()));
    if (this.inbox.hasUnfinished()) this.deadlines.noLaterThan("drain", this.now());
  }

  protected override work(row: InboxRow): Promise<void> | void {
    const parsed = parseCommand(row.message.text);
    const risk = parsed.ok ? commandEntry(parsed.command.name).risk : "low";
    const kept = risk === "low" ? this.#standings.kept(row.message) : null;
    // Only the Coordinator itself can say that a message belongs elsewhere.
    if (kept?.project?.name === this.#project && kept.formerly.length === 0)
      return this.#act(row, parsed, kept, kept.project);
    return this.#place(row, parsed);
  }

  /** Acts on a message that belongs here. Routes are looked up from a copy that may be seconds old; the Coordinator knows. */
  async #place(row: InboxRow, parsed: ParsedCommand): Promise<void> {
    const standing = await this.#standings.ask(row.message);
    const { project } = standing;
    if (project?.name !== this.#project) return this.handOver(row, this.#coordinator);
    if (await this.#wasAcceptedElsewhere(row, standing)) return this.transaction(() => this.inbox.finish(row.sequence));
    return this.#act(row, parsed, standing, project);
  }

  /** Whether this repeats a delivery from before the conversation came here: its reply is another agent's. */
  async #wasAcceptedElsewhere(row: InboxRow, { formerly }: Standing): Promise<boolean> {
    const former = formerly.map((project) => (project === "" ? this.#coordinator : this.#agentOf(project)));
    const known = await Promise.all(former.map((agent) => agent.knows(row.key)));
    return known.includes(true);
  }

  #act(row: InboxRow, parsed: ParsedCommand, standing: Standing, project: ProjectFacts): Promise<void> | void {
    this.inbox.keep(row.sequence);
    if (this.isTalk(row.message)) return this.transaction(() => this.inbox.finish(row.sequence));
    if (!parsed.ok) {
      return this.transaction(() => {
        this.#auditCommand(row, standing, "not understood", { kind: parsed.kind });
        this.#answer(row, { ok: false, blocks: notUnderstood(parsed) });
      });
    }
    const { command } = parsed;
    const work = workOf(HANDLERS, command);
    const context = this.transaction(() => {
      this.#auditCommand(row, standing, command.name, command.args);
      const { decision, sequence } = decideAndRecord(
        this.audit,
        { message: row.message, command, standing },
        { budgetLeft: this.#mode === "simulation" ? Infinity : this.#budget.leftThisMonth() },
        this.now(),
      );
      const refused = refusal(command, work, decision);
      if (refused) return this.#answer(row, refused);
      const allowed = this.#context(row, standing, project, command, sequence);
      if (work?.when === "now") return this.#answer(row, work.run(allowed));
      return allowed;
    });
    if (context && work && work.when !== "now") {
      const working = async () => {
        const answer = await work.run(context);
        if (changesStandings(command.name)) this.#standings.forget();
        this.transaction(() => this.#answer(row, answer));
      };
      return work.when === "later" ? working() : this.goOn(row, working);
    }
    this.#terminateStopped();
    if (!onlyLooks(command.name)) this.#runner.start(this.transaction(() => this.#startNext()));
  }

  #startNext(): TaskRun[] {
    const runs = this.#tasks.startNext();
    this.#register.settle(this.#project, this.#tasks.areUnfinished());
    return runs;
  }

  #auditCommand(row: InboxRow, standing: Standing, name: CommandName | "not understood", args: object): void {
    this.audit.append({
      actor: { kind: "person", id: standing.identity, name: standing.name },
      ...entryOfCommand(row.message, name, args),
    });
  }

  #context(
    row: InboxRow,
    standing: Standing,
    project: ProjectFacts,
    command: Command,
    decisionSequence: number,
  ): Context {
    const { message } = row;
    return {
      organisation: this.#organisation,
      project,
      message,
      command,
      standing,
      decisionSequence,
      get replyId() {
        return replyIdOf(message);
      },
      audit: this.audit,
      tasks: this.#tasks,
      budget: this.#budget,
      mode: this.#mode,
      channelsInWords: this.#channelsInWords,
      register: this.#register,
      coordinator: this.#coordinator,
      now: this.now,
      connectGitHub: this.#connectGitHub,
      decideAgain: async (facts) => {
        const now = await this.#standings.ask(message);
        if (now.project?.name !== project.name) throw new InvalidInputError(MOVED_MEANWHILE);
        const asked = { message, command, standing: now };
        return this.transaction(() => decideAndRecord(this.audit, asked, facts, this.now()).decision);
      },
      stopTask: (taskId, blocks) => this.#stopTask(taskId, blocks),
      freshCopies: async () => {
        await this.copyNow();
        return this.#d1;
      },
    };
  }

  #stopTask(taskId: string, blocks: Block[]): void {
    const task = this.#tasks.find(taskId);
    if (!task || task.status === "ended") return;
    this.#tasks.end(task, "cancelled", blocks);
    this.#stopped.push(task);
  }

  /** After the transaction that stopped them: had it failed, they would have to go on. */
  #terminateStopped(): void {
    for (const task of this.#stopped.splice(0)) this.#runner.terminate(task);
  }

  /** The final reply, unless a task will give it, and the end of the inbox row. */
  #answer(row: InboxRow, answer: Answer): void {
    const { message } = row;
    if (answer) {
      const { ok, blocks, tools = [] } = answer;
      for (const { tool, detail, ok: worked } of tools) {
        const actor = { kind: "agent", id: this.#project, name: this.#project } as const;
        this.audit.append({
          actor,
          action: "tool",
          subject: tool,
          details: { delivery: message.id, detail, ok: worked },
        });
      }
      this.outbox.post(
        { id: replyIdOf(message), kind: "final", ok, target: targetOf(message), inReplyTo: message.id, blocks },
        this.now(),
      );
    }
    this.inbox.finish(row.sequence);
  }

  protected override giveUp(row: InboxRow, error: unknown): void {
    const words = wordsFor(error);
    this.#answer(row, { ok: false, blocks: [text(words)], tools: [{ tool: "answer", detail: words, ok: false }] });
  }

  async report(report: TaskReport): Promise<ReportAnswer> {
    const { answer, runs } = this.transaction(() => {
      const applied = this.#tasks.apply(report);
      return { answer: applied, runs: report.result ? this.#startNext() : [] };
    });
    this.#runner.start(runs);
    this.send();
    this.noteCopy();
    return answer;
  }

  async reserve(reservation: Reservation): Promise<Reserved> {
    return this.transaction(() => this.#tasks.reserve(reservation));
  }

  async summary(): Promise<AgentSummary> {
    return { state: this.#register.find(this.#project)?.state ?? "IDLE", ...this.#tasks.counts() };
  }

  protected override async onDeadline(name: string): Promise<void> {
    if (!name.startsWith(WATCH)) return;
    const task = this.#tasks.find(name.slice(WATCH.length));
    if (task?.status !== "running") return;
    // Armed again first: looking after it may fail too.
    this.transaction(() => this.#tasks.watch(task.id));
    if ((await this.#runner.lookAfter(task)) === "alive") return;
    const runs = this.transaction(() => {
      const again = this.#tasks.endedInSilence(task);
      return [...(again ? [again] : []), ...this.#startNext()];
    });
    this.#runner.start(runs);
    this.send();
    this.noteCopy();
  }

  protected override readCopy(kind: string, id: string): CopyStatement | null {
    const at = { organisation: this.#organisation, project: this.#project };
    return kind === "agent" ? this.#register.copy(id, at) : this.#tasks.copy(id, at);
  }
}
