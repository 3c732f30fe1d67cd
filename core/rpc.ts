import type { TerminalMessage } from "./terminal-protocol.ts";
import type { Command } from "./command.ts";
import type { ChannelName, Conversation, NormalizedMessage, Sender } from "./message.ts";
import type { AutonomyLevel, Role } from "./permissions.ts";
import type { Policies } from "./policies.ts";
import type { Block } from "./response.ts";
import type { ReportAnswer, RepositoryName, Reservation, Reserved, TaskReport } from "./task.ts";

/** How agents meet: the remote methods of each, without importing one another (design: architecture). */

/** A Durable Object namespace, as far as callers need it. */
export type Namespace<T> = { getByName(name: string): T };

/** The message is stored durably; `repeated` when it already was. */
export type Accepted = { repeated: boolean };

/** What both persistent agents offer to the edge. */
export interface MessageReceiver {
  receive(message: NormalizedMessage): Promise<Accepted>;
  /** Whether it has accepted this delivery (an inbox key) and kept it for itself. */
  knows(delivery: string): Promise<boolean>;
}

export type AgentSummary = { state: string; running: number; queued: number; ended: number };
export type ProjectSummary = AgentSummary & { name: string; repository: string };

export type AuditPage = { rows: { sequence: number; hash: string; text: string }[]; next: number | null };

export interface AuditSource {
  /** Entries from sequence `from` on, at most `limit`; `next` is where to go on, or null at the end. */
  auditPage(from: number, limit: number): Promise<AuditPage>;
}

export interface ProjectAgentRpc extends MessageReceiver, AuditSource {
  report(report: TaskReport): Promise<ReportAnswer>;
  /** Sets money aside for a model call, as much of it as there is. */
  reserve(reservation: Reservation): Promise<Reserved>;
  summary(): Promise<AgentSummary>;
}

export type ProjectFacts = { name: string; repository: RepositoryName; autonomy: AutonomyLevel };

/** Who someone is and what that means here. */
export type Standing = {
  identity: string;
  name: string;
  /** Role in the project, else the organisation's default for this identity. */
  role: Role;
  /** The project that the conversation is linked to now, or null. */
  project: ProjectFacts | null;
  policies: Policies;
  halted: boolean;
  /** Projects (empty: none) that the conversation belonged to lately: a repeat of what they accepted may come here. */
  formerly: string[];
};

export type StandingQuery = { channel: ChannelName; conversation: Conversation; sender: Sender };

/** A command whose effect is on the organisation's state, with the message that asked for it. */
export type OrganisationCommand = { message: NormalizedMessage; command: Command };
export type Performed = { ok: boolean; blocks: Block[] };

export type SetupRequest = {
  account: string;
  name: string;
  project: { name: string; repository: RepositoryName };
  conversation: string;
};
export type SetupAnswer = { project: string; conversation: string; created: boolean };

export interface CoordinatorRpc extends MessageReceiver, AuditSource {
  standing(query: StandingQuery): Promise<Standing>;
  /** Decides again with its own state, performs, audits. The same delivery id again gives the same answer. */
  perform(request: OrganisationCommand): Promise<Performed>;
  setup(request: SetupRequest): Promise<SetupAnswer>;
  createClaimCode(): Promise<{ code: string; expiresAt: string }>;
  projects(): Promise<ProjectFacts[]>;
  /** Verifies the organisation's own chain and its copy. */
  verifyAudit(): Promise<{ ok: boolean; words: string }>;
  /** How every project of the organisation is doing. */
  overview(): Promise<ProjectSummary[]>;
}

export interface TerminalGatewayRpc {
  /** Shows the message, or keeps it until a terminal of the conversation connects. */
  deliver(message: TerminalMessage): Promise<void>;
}

/** A Workflow binding, as far as a Project agent needs it. */
export type WorkflowBinding<Params> = {
  create(options: { id: string; params: Params }): Promise<unknown>;
  get(id: string): Promise<{
    status(): Promise<{ status: string }>;
    sendEvent(event: { type: string; payload: unknown }): Promise<void>;
    terminate(): Promise<void>;
  }>;
};
