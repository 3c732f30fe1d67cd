import { describe, expect, it } from "vitest";
import { autonomyCap, may, Permission, permissionsOf, Role } from "#core/permissions.ts";

// Typed from design/policy.md, "Roles and permissions". Columns in this order.
const ROLES = ["owner", "maintainer", "operator", "reviewer", "read-only", "emergency_admin"] as const;
const TABLE: Record<Permission, string> = {
  view: "✓ ✓ ✓ ✓ ✓ ✓",
  identity: "✓ ✓ ✓ ✓ ✓ ✓",
  review: "✓ ✓ ✓ ✓ - ✓",
  task: "✓ ✓ ✓ - - ✓",
  deploy: "✓ ✓ ✓ - - ✓",
  approve: "✓ ✓ ✓ - - ✓",
  merge: "✓ ✓ ✓ - - ✓",
  autonomy: "✓ ✓ ✓ - - ✓",
  link: "✓ ✓ - - - ✓",
  rollback: "✓ ✓ - - - ✓",
  kill: "✓ ✓ - - - ✓",
  manage: "✓ - - - - -",
};

describe("roles and permissions", () => {
  it("are the table's", () => {
    expect(Role.options).toEqual(ROLES);
    expect(Permission.options.toSorted()).toEqual(Object.keys(TABLE).toSorted());
  });

  for (const permission of Permission.options) {
    for (const [column, role] of ROLES.entries()) {
      const expected = TABLE[permission].split(" ")[column] === "✓";
      it(`${role} ${expected ? "may" : "may not"} ${permission}`, () => expect(may(role, permission)).toBe(expected));
    }
  }

  it("are listed in the table's order", () => {
    expect(permissionsOf("reviewer")).toEqual(["view", "identity", "review"]);
  });

  it("cap the autonomy level a role may set", () => {
    expect(ROLES.map(autonomyCap)).toEqual([5, 5, 4, null, null, 5]);
  });
});
