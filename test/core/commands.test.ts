import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  Command,
  commandEntry,
  CommandName,
  COMMANDS,
  completions,
  countsWithoutMention,
  parseCommand,
} from "#core/commands.ts";

const understood = (text: string): unknown => {
  const parsed = parseCommand(text);
  return parsed.ok ? parsed.command : parsed;
};

describe("the grammar understands", () => {
  test.each<[string, string, object]>([
    ["help", "help", { command: null }],
    ["help fix", "help", { command: "fix" }],
    ["help config set", "help", { command: "config set" }],
    ["help memory", "help", { command: "context" }],
    ["status", "status", { scope: "project" }],
    ["status build", "status", { scope: "build" }],
    ["status agent", "status", { scope: "agent" }],
    ["status all", "status", { scope: "all" }],
    ["all status", "status", { scope: "all" }],
    ["agents", "agents", {}],
    ["logs", "logs", { count: 20 }],
    ["logs 5", "logs", { count: 5 }],
    ["audit", "audit", { mode: "list", count: 20 }],
    ["audit 3", "audit", { mode: "list", count: 3 }],
    ["audit verify", "audit", { mode: "verify" }],
    ["prs", "prs", { state: "open" }],
    ["prs closed", "prs", { state: "closed" }],
    ["prs all", "prs", { state: "all" }],
    ["config", "config", {}],
    ["permissions", "permissions", { person: null }],
    ["permissions @anna", "permissions", { person: "@anna" }],
    ['permissions "Anna Smith"', "permissions", { person: "Anna Smith" }],
    ["context", "context", {}],
    ["memory", "context", {}],
    ["usage", "usage", {}],
    ["runners", "runners", {}],
    ["whoami", "whoami", {}],
    ["register Anna Smith", "register", { name: "Anna Smith" }],
    ["link-me", "link-me", { code: null }],
    ["link-me AbC-123_x", "link-me", { code: "AbC-123_x" }],
    ["claim 7k2m9QXW", "claim", { code: "7k2m9QXW" }],
    ["review PR #12", "review", { number: 12 }],
    ["review 12", "review", { number: 12 }],
    ["investigate the failed build", "investigate", { what: "the failed build" }],
    ["lens which endpoints are slow?", "lens", { question: "which endpoints are slow?" }],
    ["instruct add a health check", "instruct", { task: "add a health check" }],
    ["implement password reset", "implement", { task: "password reset" }],
    ["refactor the payment module", "refactor", { task: "the payment module" }],
    ["fix it", "fix", { issue: "it" }],
    ["stop", "stop", { taskId: null }],
    ["stop task-7k2m9qxw", "stop", { taskId: "task-7k2m9qxw" }],
    ["stop TASK-7K2M9QXW", "stop", { taskId: "task-7k2m9qxw" }],
    ["plan single sign-on", "plan", { feature: "single sign-on" }],
    ["spec single sign-on", "spec", { mode: "new", feature: "single sign-on" }],
    ["spec design", "spec", { mode: "design" }],
    ["spec design of the login page", "spec", { mode: "new", feature: "design of the login page" }],
    ["merge PR #12", "merge", { number: 12, method: "merge" }],
    ["merge pr 12 squash", "merge", { number: 12, method: "squash" }],
    ["merge PR#12 Rebase", "merge", { number: 12, method: "rebase" }],
    ["merge #12", "merge", { number: 12, method: "merge" }],
    ["merge 9999999999", "merge", { number: 9_999_999_999, method: "merge" }],
    ["deploy Staging", "deploy", { mode: "single", environment: "staging" }],
    ["deploy api then web then docs", "deploy", { mode: "cascade", steps: ["api", "web", "docs"] }],
    ["rollback production", "rollback", { environment: "production" }],
    ["approve", "approve", { token: null }],
    ["approve DP-7k2m9qxw", "approve", { token: "dp-7k2m9qxw" }],
    ["reject", "reject", { token: null, reason: null }],
    ["reject dp-7k2m9qxw", "reject", { token: "dp-7k2m9qxw", reason: null }],
    ["reject dp-7k2m9qxw tests are missing.", "reject", { token: "dp-7k2m9qxw", reason: "tests are missing." }],
    ["autonomy L3", "autonomy", { level: 3 }],
    ["autonomy 0", "autonomy", { level: 0 }],
    ["link acme/shop", "link", { owner: "acme", name: "shop", host: null }],
    ["link https://github.com/acme/shop", "link", { owner: "acme", name: "shop", host: "github.com" }],
    ["link https://GitHub.com/acme/shop.git/", "link", { owner: "acme", name: "shop", host: "github.com" }],
    ["link git@github.com:acme/shop.git", "link", { owner: "acme", name: "shop", host: "github.com" }],
    ["link github.com/acme/shop", "link", { owner: "acme", name: "shop", host: "github.com" }],
    ["link http://127.0.0.1:4010/acme/shop", "link", { owner: "acme", name: "shop", host: "127.0.0.1:4010" }],
    ["link <https://github.com/acme/shop|acme/shop>", "link", { owner: "acme", name: "shop", host: "github.com" }],
    ["unlink", "unlink", {}],
    ["alias Shop acme/shop", "alias", { alias: "shop", owner: "acme", name: "shop" }],
    ["schedule 0 9 * * 1-5 status", "schedule", { mode: "add", cron: "0 9 * * 1-5", command: "status" }],
    [
      'schedule "*/5 * * * MON" fix the build',
      "schedule",
      { mode: "add", cron: "*/5 * * * MON", command: "fix the build" },
    ],
    ["schedule list", "schedule", { mode: "list" }],
    ["schedule remove s-1", "schedule", { mode: "remove", id: "s-1" }],
    ["role @anna maintainer", "role", { person: "@anna", role: "maintainer" }],
    ["role <@U123> read-only", "role", { person: "<@U123>", role: "read-only" }],
    ['role "Anna Smith" owner', "role", { person: "Anna Smith", role: "owner" }],
    ["role Anna Smith emergency-admin", "role", { person: "Anna Smith", role: "emergency_admin" }],
    ["config set taskCeiling 5", "config set", { key: "taskCeiling", value: "5" }],
    ['config set greeting "good morning"', "config set", { key: "greeting", value: "good morning" }],
    ["runners revoke builder-1", "runners revoke", { runner: "builder-1" }],
    ["kill", "kill", {}],
    ["resume", "resume", {}],
  ])("%s", (text, name, args) => {
    expect(understood(text)).toEqual({ name, args });
  });

  it("every command of the table by its own example", () => {
    for (const { name, example } of COMMANDS) expect(understood(example)).toMatchObject({ name });
  });
});

describe("what people write around a command", () => {
  test.each<[string, string]>([
    ["a mention", "@codespar status"],
    ["a mention without the at sign", "CodeSpar status"],
    ["a platform's mention", "<@U0123ABC> status"],
    ["a nickname mention", "<@!12345> status"],
    ["a mention with a colon", "@codespar: status"],
    ["a mention with a comma", "@CodeSpar, STATUS"],
    ["spaces and line ends", " \n\t status \r\n"],
    ["a no-break space", "@codespar\u00a0status"],
    ["an exclamation mark", "status!"],
    ["a question mark", "status?"],
    ["a question mark apart", "status ?"],
    ["a zero-width space inside", "sta\u200btus"],
    ["a byte order mark", "\ufeffstatus"],
    ["bidirectional controls", "\u202estatus\u2066"],
  ])("%s is no part of it", (_, text) => {
    expect(understood(text)).toEqual({ name: "status", args: { scope: "project" } });
  });

  it("keeps the lines, letters and punctuation of a task", () => {
    expect(understood("@codespar Fix the Login:\n\n  - Step 1\n  - Step 2?!\n")).toEqual({
      name: "fix",
      args: { issue: "the Login:\n\n  - Step 1\n  - Step 2?!" },
    });
  });

  it("takes what nobody sees out of a task, so that all read the same text", () => {
    expect(understood("fix a\u202eb\u2066c\u200bd\u{e0041}e\u0007f")).toEqual({
      name: "fix",
      args: { issue: "abcdef" },
    });
  });

  it("brings a task into NFC", () => {
    expect(understood("fix cafe\u0301")).toEqual({ name: "fix", args: { issue: "caf\u00e9" } });
  });

  it("replaces half a character, which no database could keep", () => {
    expect(understood("fix a\ud800b")).toEqual({ name: "fix", args: { issue: "a\ufffdb" } });
  });

  it("cuts stacks of marks at thirty", () => {
    expect(understood(`fix x${"\u0323".repeat(5000)}`)).toEqual({
      name: "fix",
      args: { issue: `x${"\u0323".repeat(30)}` },
    });
  });

  it.each(["", "   ", "@codespar", "@codespar,", "<@U1> \n", "\u200b"])("takes %j for nothing", (text) => {
    expect(parseCommand(text)).toEqual({ ok: false, kind: "empty" });
  });
});

describe("talk that only begins like a command is none", () => {
  test.each([
    "status of the login page is broken",
    "stop the music please",
    "stop?",
    "kill?",
    "help me with the login",
    "merge the login branch",
    "merge #12 when the tests pass",
    "review the docs",
    "review 5 files",
    "autonomy is a nice thing",
    "kill the process",
    "resume writing",
    "whoami now",
    "usage of memory is high",
    "memory leak",
    "deploy failed again",
    "approve this pull request",
    "reject the idea that tests are optional",
    "permissions are wrong",
    "role of the reviewer is unclear",
    "link the repository",
    "config files are missing",
    "config set up is hard",
    "schedule a meeting",
    "register for the conference in May please",
    "claim that it works",
    "fix: the login",
    "codespar is great",
    "all hands",
    "constructor",
    "__proto__",
  ])("%s", (text) => {
    expect(parseCommand(text)).toMatchObject({ ok: false, kind: "unknown" });
  });
});

const counts = (text: string): boolean => {
  const parsed = parseCommand(text);
  return parsed.ok && countsWithoutMention(parsed.command);
};

describe("in a thread, without a mention,", () => {
  test.each([
    "stop",
    "stop task-7k2m9qxw",
    "approve",
    "reject dp-7k2m9qxw too risky",
    "status",
    "merge PR #12",
    "autonomy L2",
  ])("%s counts", (text) => expect(counts(text)).toBe(true));

  test.each(["fix it yourself then", "plan for lunch?", "register now", "implement this, somebody", "stop it"])(
    "%s does not",
    (text) => expect(counts(text)).toBe(false),
  );
});

describe("a command with arguments it does not take is answered with its usage", () => {
  test.each<[string, CommandName]>([
    ["help nonsense", "help"],
    ["status foo", "status"],
    ["logs 0", "logs"],
    ["logs 201", "logs"],
    ["logs many", "logs"],
    ["audit 99999999999", "audit"],
    ["prs mine", "prs"],
    ["merge", "merge"],
    ["merge PR #abc", "merge"],
    ["merge PR", "merge"],
    ["merge #0", "merge"],
    ["merge #12345678901", "merge"],
    ["merge 12 fast", "merge"],
    ["merge 12?", "merge"],
    ["review PR", "review"],
    ["autonomy", "autonomy"],
    ["autonomy L9", "autonomy"],
    ["autonomy -1", "autonomy"],
    ["fix", "fix"],
    ["instruct", "instruct"],
    ["stop task-1", "stop"],
    ["stop task-000000il", "stop"],
    ["approve dp-1", "approve"],
    ["reject dp-10 no", "reject"],
    ["claim", "claim"],
    ["claim ;--", "claim"],
    ["register", "register"],
    ["register ???", "register"],
    ["link", "link"],
    ["link shop", "link"],
    ["link acme/shop/tree/main", "link"],
    ["link https://user:secret@github.com/acme/shop", "link"],
    ["link acme/..", "link"],
    ["link file:///acme/shop", "link"],
    ["alias status acme/shop", "alias"],
    ["alias shop shop", "alias"],
    ["role @anna", "role"],
    ["role @anna boss", "role"],
    ["role @anna the boss", "role"],
    ["config foo", "config"],
    ["config set key", "config set"],
    ["runners revoke", "runners revoke"],
    ["deploy", "deploy"],
    ["deploy a then", "deploy"],
    ["deploy a then b or c", "deploy"],
    ["rollback", "rollback"],
    ["schedule", "schedule"],
    ["schedule 0 9 * * 1-5 dance", "schedule"],
    ["schedule 0 9 * * 1-5 schedule list", "schedule"],
    ["schedule 0 9 * status", "schedule"],
    ["schedule remove", "schedule"],
  ])("%s", (text, command) => {
    const { usage, example } = commandEntry(command);
    expect(parseCommand(text)).toMatchObject({ ok: false, kind: "usage", command, usage, example });
  });

  it("quotes no more than a little of what was written", () => {
    const parsed = parseCommand(`autonomy ${"9".repeat(5000)}`);
    expect(!parsed.ok && parsed.kind === "usage" ? parsed.message.length : Infinity).toBeLessThan(100);
  });
});

describe("an unknown command is answered with the nearest available ones", () => {
  test.each<[string, string[]]>([
    ["fxi the login", ["fix"]],
    ["stats", ["status"]],
    ["statsu", ["status"]],
    ["instrct add a thing", ["instruct"]],
    ["perm", ["permissions"]],
    ["autonmy L2", ["autonomy"]],
    ["lnk acme/shop", ["link"]],
    ["status of the login", ["status"]],
    ["quetzalcoatl", []],
    ["x", []],
    ["please fix the login", []],
    ["rolback production", []],
  ])("%s", (text, suggestions) => {
    expect(parseCommand(text)).toEqual({ ok: false, kind: "unknown", suggestions });
  });

  it("with three at most, each of them available", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{1,12}$/), (word) => {
        const parsed = parseCommand(word);
        if (parsed.ok || parsed.kind !== "unknown") return;
        expect(parsed.suggestions.length).toBeLessThanOrEqual(3);
        expect(completions()).toEqual(expect.arrayContaining(parsed.suggestions));
      }),
    );
  });
});

describe("whatever is written", () => {
  const anything = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.string({ unit: "grapheme", maxLength: 300 }),
    fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 300 }).map((units) => String.fromCharCode(...units)),
    fc
      .tuple(fc.constantFrom(...CommandName.options), fc.string({ unit: "binary", maxLength: 200 }))
      .map((words) => words.join(" ")),
    fc
      .array(
        fc.constantFrom(
          "merge",
          "PR",
          "#1",
          "then",
          "status",
          "schedule",
          "*",
          "0",
          '"',
          "@codespar",
          "<@U1>",
          "role",
          "owner",
          "\n",
          "?",
        ),
        {
          maxLength: 12,
        },
      )
      .map((words) => words.join(" ")),
  );

  it("the grammar never throws, and what it understands is a command by its schema", () => {
    fc.assert(
      fc.property(anything, (text) => {
        const parsed = parseCommand(text);
        if (parsed.ok) expect(Command.parse(parsed.command)).toEqual(parsed.command);
      }),
      { numRuns: 2000 },
    );
  });

  it("a second look at a cleaned task changes nothing more", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 200 }), (task) => {
        const once = parseCommand(`fix ${task}`);
        if (!once.ok || once.command.name !== "fix") return;
        expect(understood(`fix ${once.command.args.issue}`)).toEqual(once.command);
      }),
    );
  });

  it.each([
    ["spaces", " "],
    ["letters", "a"],
    ["mentions", "@codespar "],
    ["nested schedules", "schedule * * * * * @codespar "],
    ["alternating marks", "\u0301\u0323"],
    ["half characters", "\ud800"],
    ["exclamation marks", "!"],
    ["expanding characters", "\u0958"],
  ])("a hundred thousand characters of %s are read", (_, piece) => {
    const text = piece.repeat(Math.ceil(100_000 / piece.length)).slice(0, 100_000);
    for (const start of ["", "fix ", "stop ", "merge "]) {
      const parsed = parseCommand(`${start}${text}`.slice(0, 100_000));
      if (parsed.ok) expect(Command.safeParse(parsed.command).success).toBe(true);
    }
  });
});
