import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { CommandName } from "#core/commands.ts";
import { type AutonomyLevel, type Permission, Risk, Role } from "#core/permissions.ts";
import { DEFAULT_POLICIES, Policies } from "#core/policies.ts";
import { decide, PolicyDecision, type PolicyInput } from "#core/policy.ts";

const LEVELS: readonly AutonomyLevel[] = [0, 1, 2, 3, 4, 5];

const input = (changes: Partial<PolicyInput>): PolicyInput => ({
  actor: "identity-1",
  role: "owner",
  command: "fix",
  risk: "low",
  guarded: false,
  environment: null,
  autonomy: 1,
  initiatedBy: "person",
  policies: DEFAULT_POLICIES,
  halted: false,
  budgetLeft: 100,
  now: Date.UTC(2026, 0, 5, 12),
  ...changes,
});
const effect = (changes: Partial<PolicyInput>): string => decide(input(changes)).effect;

describe("the autonomy table", () => {
  // Typed from design/policy.md, "Autonomy". Each row: who, risk, where, and L0 to L5. `approval` is require_approval.
  type Row = [who: "agent" | "person", risk: Risk, command: CommandName, environment: string | null, cells: string];
  test.each<Row>([
    ["agent", "low", "investigate", null, "silent notify propose allow allow allow"],
    ["agent", "medium", "fix", null, "silent notify propose propose allow allow"],
    ["agent", "high", "deploy", "staging", "silent notify propose propose propose allow"],
    ["agent", "high", "deploy", "preview", "silent notify propose propose propose allow"],
    ["agent", "high", "deploy", "canary", "silent notify propose propose propose propose"],
    ["agent", "high", "fix", null, "silent notify propose propose propose propose"],
    ["agent", "critical", "fix", null, "approval approval approval approval approval approval"],
    ["agent", "critical", "fix", "staging", "approval approval approval approval approval approval"],
    ["person", "low", "status", null, "allow allow allow allow allow allow"],
    ["person", "medium", "fix", null, "allow allow allow allow allow allow"],
    ["person", "medium", "merge", null, "allow allow allow allow allow allow"],
    ["person", "high", "deploy", "staging", "approval approval approval approval approval allow"],
    ["person", "high", "deploy", "dev", "approval approval approval approval approval allow"],
    ["person", "high", "deploy", "canary", "approval approval approval approval approval approval"],
    ["person", "high", "fix", null, "approval approval approval approval approval approval"],
    ["person", "critical", "fix", null, "approval approval approval approval approval approval"],
    // Guardrails, above every level.
    ["agent", "high", "deploy", "production", "approval approval approval approval approval approval"],
    ["person", "high", "deploy", "production", "approval approval approval approval approval approval"],
    ["person", "high", "deploy", "prod-eu", "approval approval approval approval approval approval"],
    ["person", "high", "deploy", "Production", "approval approval approval approval approval approval"],
    ["person", "high", "deploy", null, "approval approval approval approval approval approval"],
    ["agent", "low", "rollback", "staging", "approval approval approval approval approval approval"],
    ["person", "low", "rollback", "dev", "approval approval approval approval approval approval"],
    ["person", "critical", "resume", null, "approval approval approval approval approval approval"],
    ["person", "critical", "kill", null, "allow allow allow allow allow allow"],
  ])("%s, %s: %s %s", (initiatedBy, risk, command, environment, cells) => {
    const role = initiatedBy === "agent" ? null : "owner";
    const effects = LEVELS.map((autonomy) => effect({ initiatedBy, role, risk, command, environment, autonomy }));
    expect(effects.join(" ").replaceAll("require_approval", "approval")).toBe(cells);
  });

  it("asks for approval of anything guarded, at every level, for every risk, from anyone", () => {
    for (const initiatedBy of ["agent", "person"] as const) {
      for (const risk of Risk.options) {
        for (const autonomy of LEVELS) {
          for (const environment of [null, "staging", "dev", "production"]) {
            expect(effect({ initiatedBy, risk, autonomy, environment, guarded: true, command: "merge" })).toBe(
              "require_approval",
            );
          }
        }
      }
    }
  });

  it("does not take a command's risk for lower than it is", () => {
    expect(effect({ command: "deploy", risk: "low", environment: "staging" })).toBe("require_approval");
  });

  it("lets the kill switch wait for nobody, guarded or not", () => {
    expect(effect({ command: "kill", risk: "critical", guarded: true })).toBe("allow");
  });
});

describe("what a role may ask for", () => {
  // One command per permission, and who may use it, typed from design/policy.md.
  test.each<[Permission, CommandName, string]>([
    ["view", "status", "owner maintainer operator reviewer read-only emergency_admin"],
    ["identity", "whoami", "owner maintainer operator reviewer read-only emergency_admin"],
    ["identity", "link-me", "owner maintainer operator reviewer read-only emergency_admin"],
    ["identity", "claim", "owner maintainer operator reviewer read-only emergency_admin"],
    ["identity", "register", "owner maintainer operator reviewer emergency_admin"],
    ["review", "review", "owner maintainer operator reviewer emergency_admin"],
    ["task", "fix", "owner maintainer operator emergency_admin"],
    ["deploy", "deploy", "owner maintainer operator emergency_admin"],
    ["approve", "approve", "owner maintainer operator emergency_admin"],
    ["approve", "reject", "owner maintainer operator emergency_admin"],
    ["merge", "merge", "owner maintainer operator emergency_admin"],
    ["autonomy", "autonomy", "owner maintainer operator emergency_admin"],
    ["link", "link", "owner maintainer emergency_admin"],
    ["link", "unlink", "owner maintainer emergency_admin"],
    ["rollback", "rollback", "owner maintainer emergency_admin"],
    ["kill", "kill", "owner maintainer emergency_admin"],
    ["kill", "resume", "owner maintainer emergency_admin"],
    ["manage", "role", "owner"],
    ["manage", "config set", "owner"],
    ["manage", "runners revoke", "owner"],
  ])("%s: %s", (_, command, allowed) => {
    const may = Role.options.filter((role) => effect({ role, command, requestedLevel: 0 }) !== "deny");
    expect(may.join(" ")).toBe(allowed);
  });

  it("takes someone never seen before for read-only", () => {
    expect(effect({ role: null, command: "status" })).toBe("allow");
    expect(effect({ role: null, command: "whoami" })).toBe("allow");
    expect(effect({ role: null, command: "claim" })).toBe("allow");
    expect(effect({ role: null, command: "register" })).toBe("deny");
    expect(effect({ role: null, command: "fix" })).toBe("deny");
  });

  it("names the permission and the role when it refuses", () => {
    expect(decide(input({ role: "reviewer", command: "fix" })).reason).toMatch(/`fix`.*task.*reviewer/);
  });

  // Typed from design/policy.md: owner L5, maintainer L5, operator L4, reviewer and read-only none, emergency_admin L5.
  test.each<[Role, string]>([
    ["owner", "0 1 2 3 4 5"],
    ["maintainer", "0 1 2 3 4 5"],
    ["operator", "0 1 2 3 4"],
    ["reviewer", ""],
    ["read-only", ""],
    ["emergency_admin", "0 1 2 3 4 5"],
  ])("%s may set the autonomy levels %s", (role, levels) => {
    const may = LEVELS.filter((requestedLevel) => effect({ role, command: "autonomy", requestedLevel }) === "allow");
    expect(may.join(" ")).toBe(levels);
  });

  it("takes an autonomy level nobody named for the highest", () => {
    expect(effect({ role: "operator", command: "autonomy" })).toBe("deny");
  });

  it("never lets people raise their own rights", () => {
    expect(effect({ command: "role", raisesOwnRights: true })).toBe("deny");
    expect(effect({ command: "role", raisesOwnRights: false })).toBe("allow");
  });
});

describe("an agent on its own", () => {
  test.each<CommandName>([
    "approve",
    "reject",
    "autonomy",
    "role",
    "config set",
    "link",
    "unlink",
    "register",
    "claim",
    "kill",
  ])("may never %s", (command) => {
    for (const autonomy of LEVELS) {
      expect(effect({ initiatedBy: "agent", role: null, command, autonomy, requestedLevel: 0 })).toBe("deny");
    }
  });

  it("does no more than the person it acts for may", () => {
    expect(effect({ initiatedBy: "agent", role: "reviewer", command: "fix", autonomy: 5 })).toBe("deny");
    expect(effect({ initiatedBy: "agent", role: "operator", command: "fix", autonomy: 5 })).toBe("allow");
  });
});

describe("while everything is stopped", () => {
  it("only looking, identity, approving and resume go through", () => {
    const through = CommandName.options.filter(
      (command) => effect({ command, halted: true, environment: "staging" }) !== "deny",
    );
    expect(through).toEqual([
      ..."help status agents logs audit prs config permissions context usage runners whoami register link-me claim".split(
        " ",
      ),
      ..."approve reject resume".split(" "),
    ]);
  });

  it("no agent does anything, whatever the level", () => {
    for (const command of CommandName.options.filter((name) => name !== "resume")) {
      expect(effect({ initiatedBy: "agent", role: null, command, halted: true, autonomy: 5, environment: "dev" })).toBe(
        "deny",
      );
    }
  });

  it("resume still waits for an approval", () => {
    expect(decide(input({ command: "resume", risk: "critical", halted: true }))).toMatchObject({
      effect: "require_approval",
      quorum: 1,
    });
  });
});

describe("a budget that is used up", () => {
  test.each([0, -1, Number.NaN])("of %s dollars ends what needs a model, and nothing else", (budgetLeft) => {
    const refused = CommandName.options.filter(
      (command) => effect({ command, budgetLeft, environment: "staging" }) === "deny",
    );
    expect(refused).toEqual("review investigate lens instruct implement refactor fix plan spec".split(" "));
  });
});

describe("an approval that is needed", () => {
  // Typed from design/policy.md, "Approvals": quorum staging 1, production 2, others 1; expiry 60 min, critical 15 min.
  test.each<[CommandName, Risk, string | null, number, number]>([
    ["deploy", "high", "staging", 1, 3600],
    ["deploy", "high", "production", 2, 3600],
    ["deploy", "high", "prod-eu", 2, 3600],
    ["deploy", "high", "canary", 1, 3600],
    ["deploy", "high", null, 2, 3600],
    ["rollback", "critical", "production", 2, 900],
    ["rollback", "critical", "staging", 1, 900],
    ["resume", "critical", null, 1, 900],
    ["fix", "critical", null, 1, 900],
  ])("%s, %s, in %s needs %i votes within %i s", (command, risk, environment, quorum, expiresInS) => {
    expect(decide(input({ command, risk, environment }))).toMatchObject({
      effect: "require_approval",
      quorum,
      expiresInS,
    });
  });

  it("of a guarded merge needs 1 vote within 3600 s", () => {
    expect(decide(input({ command: "merge", guarded: true }))).toMatchObject({ quorum: 1, expiresInS: 3600 });
  });

  it("follows the project's own quorum and expiry", () => {
    const policies: Policies = {
      ...DEFAULT_POLICIES,
      quorum: { production: 3, staging: 2, "prod-eu": 4 },
      expiryMinutes: { standard: 10, critical: 5 },
    };
    const approval = (environment: string): unknown => decide(input({ command: "deploy", environment, policies }));
    expect(approval("production")).toMatchObject({ quorum: 3, expiresInS: 600 });
    expect(approval("prod-us")).toMatchObject({ quorum: 3 });
    expect(approval("prod-eu")).toMatchObject({ quorum: 4 });
    expect(approval("staging")).toMatchObject({ quorum: 2 });
    expect(approval("canary")).toMatchObject({ quorum: 1 });
  });

  it("never needs no vote, even if the policy came out of a damaged row", () => {
    const policies: Policies = { ...DEFAULT_POLICIES, quorum: { production: 0, "*": 0 } };
    expect(decide(input({ command: "deploy", environment: "production", policies }))).toMatchObject({ quorum: 1 });
    expect(Policies.safeParse(policies).success).toBe(false);
  });
});

describe("times", () => {
  const now = Date.UTC(2026, 0, 5, 12); // a Monday
  const freeze = (environment: string) => [{ environment, from: 0, to: now * 2, reason: "" }];
  const deploy = (policies: Partial<Policies>, environment = "staging", at = now): string =>
    effect({ command: "deploy", environment, autonomy: 5, now: at, policies: { ...DEFAULT_POLICIES, ...policies } });

  it("a freeze refuses deploys to its environment until it ends", () => {
    const freezes = [{ environment: "staging", from: now - 1000, to: now + 1000, reason: "the fair" }];
    expect(deploy({ freezes })).toBe("deny");
    expect(deploy({ freezes }, "staging", now + 1000)).toBe("allow");
    expect(deploy({ freezes }, "staging", now - 1001)).toBe("allow");
    expect(deploy({ freezes }, "dev")).toBe("allow");
    expect(deploy({ freezes }, "staging", Number.NaN)).toBe("deny");
  });

  it("a freeze of production holds for all that count as production, and one of * for all", () => {
    expect(deploy({ freezes: freeze("production") }, "prod-eu")).toBe("deny");
    expect(deploy({ freezes: freeze("*") }, "dev")).toBe("deny");
  });

  it("a freeze refuses agents too, but no rollback", () => {
    const policies = { ...DEFAULT_POLICIES, freezes: [{ environment: "*", from: 0, to: now * 2, reason: "" }] };
    expect(
      effect({ initiatedBy: "agent", role: null, command: "deploy", environment: "dev", autonomy: 5, policies, now }),
    ).toBe("deny");
    expect(effect({ command: "rollback", environment: "production", policies, now })).toBe("require_approval");
  });

  test.each<[string, number[], number, number, boolean]>([
    ["the same day, within", [1], 9 * 60, 17 * 60, true],
    ["the same day, at its end", [1], 9 * 60, 12 * 60, false],
    ["the same day, at its beginning", [1], 12 * 60, 13 * 60, true],
    ["another day", [2], 9 * 60, 17 * 60, false],
    ["over midnight, from the day before", [0], 22 * 60, 13 * 60, true],
    ["over midnight, not yet open", [1], 22 * 60, 6 * 60, false],
    ["no day", [], 0, 1439, false],
  ])("a window on %s", (_, days, fromMinute, toMinute, open) => {
    const windows = [{ environment: "staging", days, fromMinute, toMinute }];
    expect(deploy({ windows })).toBe(open ? "allow" : "deny");
  });

  it("windows of one environment do not close another", () => {
    expect(deploy({ windows: [{ environment: "production", days: [], fromMinute: 0, toMinute: 1 }] })).toBe("allow");
  });
});

describe("whatever is asked", () => {
  const inputs: fc.Arbitrary<PolicyInput> = fc.record({
    actor: fc.constant("x"),
    role: fc.constantFrom(null, ...Role.options),
    command: fc.constantFrom(...CommandName.options),
    risk: fc.constantFrom(...Risk.options),
    guarded: fc.boolean(),
    environment: fc.constantFrom(null, "production", "staging", "dev", "canary", "PROD", "__proto__", ""),
    autonomy: fc.constantFrom(...LEVELS),
    initiatedBy: fc.constantFrom("agent" as const, "person" as const),
    policies: fc.constant(DEFAULT_POLICIES),
    halted: fc.boolean(),
    budgetLeft: fc.constantFrom(0, 5),
    now: fc.integer({ min: 0, max: 4e12 }),
    requestedLevel: fc.constantFrom(...LEVELS),
    raisesOwnRights: fc.boolean(),
  });

  it("the answer is a decision, with words for people", () => {
    fc.assert(
      fc.property(inputs, (asked) => {
        const decision = decide(asked);
        expect(PolicyDecision.parse(decision)).toEqual(decision);
        expect(decision.reason).not.toBe("");
      }),
      { numRuns: 2000 },
    );
  });

  it("nothing guarded, critical or on production runs without a vote, but kill", () => {
    fc.assert(
      fc.property(inputs, (asked) => {
        const onProduction =
          asked.command === "deploy" && (asked.environment === null || /prod/i.test(asked.environment));
        const held = asked.guarded || asked.risk === "critical" || asked.command === "rollback" || onProduction;
        if (held && asked.command !== "kill") expect(["deny", "require_approval"]).toContain(decide(asked).effect);
      }),
      { numRuns: 3000 },
    );
  });
});
