import { describe, expect, it } from "vitest";
import { commandEntry, CommandName, COMMANDS, completions, helpText } from "#core/commands.ts";
import { toPlainText } from "#core/response.ts";

// Typed from design/product.md, "Commands": name, risk, permission.
const TABLE = `
help low view, status low view, logs low view, audit low view, prs low view, agents low view, config low view, permissions low view,
context low view, usage low view, runners low view, whoami low identity, register low identity, link-me low identity, claim low identity,
review low review, investigate low review, lens low view, instruct medium task, implement medium task, refactor medium task,
fix medium task, stop medium task, plan medium task, spec medium task, merge medium merge, deploy high deploy, rollback critical rollback,
approve medium approve, reject medium approve, autonomy medium autonomy, link medium link, unlink medium link, alias medium link,
schedule medium task, role medium manage, config_set medium manage, runners_revoke medium manage, kill critical kill, resume critical kill`;

const AVAILABLE = [
  ..."help status agents logs audit whoami register claim role permissions config link unlink".split(" "),
  ..."instruct implement refactor fix stop prs merge autonomy usage".split(" "),
];

describe("the table of commands", () => {
  it("has each command's risk and permission", () => {
    const expected = TABLE.trim()
      .split(/,\s*/)
      .map((line) => line.replace("_", " "));
    const actual = COMMANDS.map(({ name, risk, permission }) => `${name} ${risk} ${permission}`);
    expect(actual.toSorted()).toEqual(expected.toSorted());
  });

  it("has an entry for every name", () => {
    for (const name of CommandName.options) expect(commandEntry(name).name).toBe(name);
  });

  it("offers what this version can do, and nothing else", () => {
    expect(completions().toSorted()).toEqual(AVAILABLE.toSorted());
  });
});

describe("help", () => {
  it("lists every available command and no other", () => {
    const shown = toPlainText(helpText(null));
    for (const { usage, summary, available } of COMMANDS)
      expect(shown.includes(`${usage} — ${summary}`)).toBe(available);
  });

  it("tells usage, example, risk and permission of one", () => {
    const shown = toPlainText(helpText("fix"));
    expect(shown).toContain("Usage: fix <issue>");
    expect(shown).toContain("Example: fix the login timeout");
    expect(shown).toContain("Risk: medium");
    expect(shown).toContain("Permission: task");
  });

  it("says of others that they are not available", () => {
    expect(toPlainText(helpText("deploy"))).toContain("not available in this version");
  });
});
