import { enum as enumOf, type infer as Infer, literal } from "zod";

/** Roles are per project, with an organisation-wide default. Someone never seen before is `read-only`. */
export const Role = enumOf(["owner", "maintainer", "operator", "reviewer", "read-only", "emergency_admin"]);
export type Role = Infer<typeof Role>;

export const Permission = enumOf([
  "view",
  "identity",
  "review",
  "task",
  "deploy",
  "approve",
  "merge",
  "autonomy",
  "link",
  "rollback",
  "kill",
  "manage",
]);
export type Permission = Infer<typeof Permission>;

/** How much harm an action can do, from a look (`low`) to what cannot be taken back (`critical`). */
export const Risk = enumOf(["low", "medium", "high", "critical"]);
export type Risk = Infer<typeof Risk>;

/** How much agents do on their own: L0 nothing, L5 all that no guardrail holds back. */
export const AutonomyLevel = literal([0, 1, 2, 3, 4, 5]);
export type AutonomyLevel = Infer<typeof AutonomyLevel>;

/** The level of a project nobody has set one for. */
export const DEFAULT_AUTONOMY: AutonomyLevel = 1;

const READ: readonly Permission[] = ["view", "identity"];
const OPERATE: readonly Permission[] = [...READ, "review", "task", "deploy", "approve", "merge", "autonomy"];
const MAINTAIN: readonly Permission[] = [...OPERATE, "link", "rollback", "kill"];

const PERMISSIONS: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  owner: new Set([...MAINTAIN, "manage"] as const),
  maintainer: new Set(MAINTAIN),
  operator: new Set(OPERATE),
  reviewer: new Set([...READ, "review"] as const),
  "read-only": new Set(READ),
  emergency_admin: new Set(MAINTAIN),
};

/** Whether a role holds a permission (design/policy.md, "Roles and permissions"). */
export const may = (role: Role, permission: Permission): boolean => PERMISSIONS[role].has(permission);

/** The permissions of a role, in the order of the table. */
export const permissionsOf = (role: Role): Permission[] =>
  Permission.options.filter((permission) => may(role, permission));

const AUTONOMY_CAPS: Readonly<Record<Role, AutonomyLevel | null>> = {
  owner: 5,
  maintainer: 5,
  operator: 4,
  reviewer: null,
  "read-only": null,
  emergency_admin: 5,
};

/** The highest level a role may set; null when it may set none. */
export const autonomyCap = (role: Role): AutonomyLevel | null => AUTONOMY_CAPS[role];
