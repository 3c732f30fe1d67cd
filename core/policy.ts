import { discriminatedUnion, enum as enumOf, type infer as Infer, literal, number, object, string } from "zod";
import type { CommandName } from "./command.ts";
import { commandEntry } from "./command-table.ts";
import { autonomyCap, type AutonomyLevel, may, type Permission, type Risk, type Role } from "./permissions.ts";
import { environmentClass, expiryOf, type Policies, quorumOf, refusalByTime } from "./policies.ts";

/** What may happen now. `reason` is for people. */
export const PolicyDecision = discriminatedUnion("effect", [
  object({
    /**
     * `allow`: do it. `deny`: do not, and say why. The other three concern agents acting on an event: `silent` does nothing, `notify`
     * tells people about the event, `propose` posts what would be done with an Approve button.
     */
    effect: enumOf(["allow", "notify", "propose", "silent", "deny"]),
    reason: string(),
  }),
  object({
    effect: literal("require_approval"),
    quorum: number().int().min(1),
    expiresInS: number().int().positive(),
    reason: string(),
  }),
]);
export type PolicyDecision = Infer<typeof PolicyDecision>;

export type PolicyInput = {
  /** The identity or agent that wants it, for the audit; the decision does not depend on who it is, only on the role. */
  actor: string;
  /** Null for a person nobody knows (read-only), and for an agent that acts on an event and for no person. */
  role: Role | null;
  command: CommandName;
  /** The risk of this very action. Never taken to be lower than the command's own in the table. */
  risk: Risk;
  /** Whether it touches what a guardrail protects; for a diff, what `guardedPaths` says. */
  guarded: boolean;
  /** Where it takes effect, null where there is no such place. */
  environment: string | null;
  autonomy: AutonomyLevel;
  initiatedBy: "agent" | "person";
  policies: Policies;
  /** Whether the kill switch is on. */
  halted: boolean;
  /** US dollars left to spend on models; Infinity without a budget. */
  budgetLeft: number;
  /** Milliseconds since the epoch. */
  now: number;
  /** Only for `autonomy`: the level asked for. Missing counts as the highest. */
  requestedLevel?: AutonomyLevel;
  /** Only for `role` and the like: it would give the actor more rights than now. Always refused. */
  raisesOwnRights?: boolean;
};

const RANK: Readonly<Record<Risk, number>> = { low: 0, medium: 1, high: 2, critical: 3 };

/** These spend money on models, so they end with the budget. `stop` and the like must work without. */
const USES_MODELS: ReadonlySet<CommandName> = new Set<CommandName>([
  "instruct",
  "implement",
  "refactor",
  "fix",
  "plan",
  "spec",
  "review",
  "investigate",
  "lens",
]);

/** Rights that only people use: an agent that could vote, link or give rights could free itself. Nor does it pull the kill switch. */
const PEOPLE_ONLY: ReadonlySet<Permission> = new Set<Permission>(["identity", "approve", "autonomy", "link", "manage"]);

/** What goes through while everything is stopped: looking, saying who one is, voting. And `resume`. */
const THROUGH_HALT: ReadonlySet<Permission> = new Set<Permission>(["view", "identity", "approve"]);

type Unattended = "silent" | "notify" | "propose" | "allow";

/** Agents acting on an event, by risk, L0 to L5. The last of `high` only in staging and below (footnote ²). */
const ON_EVENT: Readonly<
  Record<"low" | "medium" | "high", readonly [Unattended, Unattended, Unattended, Unattended, Unattended, Unattended]>
> = {
  low: ["silent", "notify", "propose", "allow", "allow", "allow"],
  medium: ["silent", "notify", "propose", "propose", "allow", "allow"],
  high: ["silent", "notify", "propose", "propose", "propose", "allow"],
};

const deny = (reason: string): PolicyDecision => ({ effect: "deny", reason });

/**
 * Whether something may happen now: the only place that decides (design/policy.md). Checked in this order: the role's permission,
 * the kill switch, times and freezes, the role's limits, the budget, guardrails, the autonomy level. Pure and fast: it runs for
 * every message and event.
 */
export function decide(input: PolicyInput): PolicyDecision {
  return refusal(input) ?? (input.command === "kill" ? KILL : byRisk(input));
}

/** An emergency stop waits for nobody. */
const KILL: PolicyDecision = Object.freeze({ effect: "allow", reason: "An emergency stop waits for nobody." });

function refusal(input: PolicyInput): PolicyDecision | null {
  const { command, initiatedBy, environment } = input;
  const { permission } = commandEntry(command);
  const notPermitted = initiatedBy === "agent" ? refusalOfAgent(input, permission) : refusalOfPerson(input, permission);
  if (notPermitted !== null) return notPermitted;

  // While halted agents do nothing, and `lens` starts one although it only looks.
  if (
    input.halted &&
    command !== "resume" &&
    (initiatedBy === "agent" || command === "lens" || !THROUGH_HALT.has(permission))
  ) {
    return deny("Everything here is stopped by the kill switch. Looking, approving and `resume` still work.");
  }
  // A rollback is the way out of a bad deploy, so freezes do not hold it back; it always needs an approval.
  if (command === "deploy" && environment !== null) {
    const untimely = refusalByTime(input.policies, environment, input.now);
    if (untimely !== null) return deny(untimely);
  }
  if (input.raisesOwnRights === true) return deny("Nobody may give themselves more rights. Another owner can.");
  if (USES_MODELS.has(command) && !(input.budgetLeft > 0)) {
    return deny("This project's budget for models is used up. An owner can raise it.");
  }
  return null;
}

function refusalOfPerson(
  { role, command, requestedLevel = 5 }: PolicyInput,
  permission: Permission,
): PolicyDecision | null {
  // Someone never seen before is read-only.
  const known = role ?? "read-only";
  // The code itself is the authority: it was printed by setup, works once, and expires. The first owner has no role before it.
  if (command === "claim") return null;
  if (!may(known, permission))
    return deny(`\`${command}\` needs the permission “${permission}”, which the role ${known} does not have.`);
  // Footnote ¹: those who may only read may not choose the name that others see.
  if (command === "register" && known === "read-only")
    return deny("`register` needs a role above read-only. An owner can give you one.");
  if (command === "autonomy") {
    const cap = autonomyCap(known);
    if (cap === null || requestedLevel > cap)
      return deny(`The role ${known} may set the autonomy level up to L${cap ?? 0}, not L${requestedLevel}.`);
  }
  return null;
}

function refusalOfAgent({ role, command }: PolicyInput, permission: Permission): PolicyDecision | null {
  if (PEOPLE_ONLY.has(permission) || command === "kill") return deny(`Only people may use \`${command}\`.`);
  // An agent acting for a person may do no more than that person.
  if (role !== null && !may(role, permission))
    return deny(`\`${command}\` needs the permission “${permission}”, which the role ${role} does not have.`);
  return null;
}

function byRisk(input: PolicyInput): PolicyDecision {
  const { command, environment, autonomy, policies } = input;
  const own = commandEntry(command).risk;
  // What the caller says can make a command riskier, never safer.
  const risk = RANK[input.risk] > RANK[own] ? input.risk : own;
  const releases = command === "deploy" || command === "rollback";
  // A deploy to nowhere in particular may well be one to production.
  const place = releases ? (environment ?? "production") : environment;
  const kind = place === null ? null : environmentClass(place);

  const guardrail = guardrailOf(input, kind);
  if (guardrail !== null) return requireApproval(policies, place, risk, guardrail);
  if (risk === "critical") return requireApproval(policies, place, risk, "Critical actions always need an approval.");

  // Footnote ²: a high risk runs by itself only where it says it stays in staging or below.
  const runsAtTop = kind === "staging" || kind === "below";
  if (input.initiatedBy === "person") {
    if (risk !== "high") return ALLOW_PERSON;
    if (autonomy === 5 && runsAtTop) return ALLOW_HIGH;
    return requireApproval(policies, place, risk, "High-risk requests need an approval.");
  }
  return autonomy === 5 && risk === "high" && !runsAtTop ? UNATTENDED.propose : UNATTENDED[ON_EVENT[risk][autonomy]];
}

/** The guardrail an action meets, in words, or null. They stand above every level, role and policy. */
function guardrailOf({ command, guarded }: PolicyInput, kind: string | null): string | null {
  if (command === "rollback") return "Rollbacks always need an approval.";
  if (kind === "production" && command === "deploy") return "Deploys to production always need an approval.";
  if (command === "resume") return "Letting stopped agents work again needs an approval.";
  if (!guarded) return null;
  return "It changes something protected (security, credentials, permissions, CI, data migrations or infrastructure): a person must approve it.";
}

function requireApproval(policies: Policies, place: string | null, risk: Risk, reason: string): PolicyDecision {
  return {
    effect: "require_approval",
    quorum: quorumOf(policies, place),
    expiresInS: expiryOf(policies, risk),
    reason,
  };
}

const ALLOW_PERSON: PolicyDecision = { effect: "allow", reason: "Requests of low and medium risk run at once." };
const ALLOW_HIGH: PolicyDecision = {
  effect: "allow",
  reason: "At L5 high-risk requests run at once in staging and below.",
};
const UNATTENDED: Readonly<Record<Unattended, PolicyDecision>> = {
  silent: { effect: "silent", reason: "At this autonomy level agents do nothing on their own." },
  notify: { effect: "notify", reason: "At this autonomy level agents only tell what happened." },
  propose: { effect: "propose", reason: "At this autonomy level agents propose this and a person decides." },
  allow: { effect: "allow", reason: "At this autonomy level agents do this on their own." },
};
