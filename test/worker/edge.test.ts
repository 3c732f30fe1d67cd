import { env, exports } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { verifyChain } from "#core/audit-chain.ts";
import { parseExportLine } from "#core/audit-export.ts";
import { Coordinator } from "#durable-objects/coordinator/coordinator.ts";
import { sha256 } from "#durable-objects/mailbox/audit-log.ts";
import { ProjectAgent } from "#durable-objects/project-agent/agent.ts";
import { app } from "#worker/app.ts";
import { issueTerminalToken, readTerminalToken } from "#worker/tokens.ts";
import { ADMINISTRATOR, errorOf, makeOwner, post, request, setUp, tokenOf } from "./client.ts";
import { eventually, finalReply, gitHub, unique } from "./world.ts";

afterEach(() => vi.restoreAllMocks());

const ok = { conversation: "main", text: "status" };

describe("the edge", () => {
  it("says that it is well, to anyone", async () => {
    const response = await request("GET /healthz", { token: null });
    expect([response.status, await response.json()]).toEqual([200, { status: "ok" }]);
  });

  it.for([
    "GET /",
    "GET /nothing",
    "POST /healthz",
    "GET /webhooks",
    "DELETE /api/messages",
    "GET /api/nothing",
    "GET /../../etc/passwd",
  ])("answers 404 to %s", async (route) => {
    const response = await request(route);
    expect(response.status).toBe(404);
    expect((await errorOf(response)).code).toBe("not_found");
  });

  it.for(["slack", "discord", "telegram", "whatsapp", "github"])(
    "has a place for %s's webhook, and takes nothing unsigned there",
    async (platform) => {
      const response = await request(`POST /webhooks/${platform}`, { token: null, body: "{}" });
      expect([response.status, (await errorOf(response)).code]).toEqual([503, "not_configured"]);
    },
  );

  it.for(["matrix", "__proto__", "constructor", "%00", "🚀"])("has none for %s", async (platform) => {
    expect((await request(`POST /webhooks/${platform}`, { token: null, body: "{}" })).status).toBe(404);
  });
});

describe("a bearer token", () => {
  const account = { account: "anna", name: "Anna" };
  const valid = issueTerminalToken(account, ADMINISTRATOR);
  const [prefix = "", payload = "", signature = ""] = valid.split(".");
  const others = Buffer.from(JSON.stringify({ account: "bo", name: "Bo" })).toString("base64url");

  const bad: Record<string, string | null> = {
    missing: null,
    empty: "",
    wrong: "wrong",
    "nearly right": `${ADMINISTRATOR}x`,
    "cut off": ADMINISTRATOR.slice(0, -1),
    "in upper case": ADMINISTRATOR.toUpperCase(),
    "very long": "x".repeat(5000),
    "with a space": `${ADMINISTRATOR} x`,
    "of another account with this one's signature": `${prefix}.${others}.${signature}`,
    "without a signature": `${prefix}.${payload}.`,
    "with a part too many": `${valid}.x`,
    "of another version": `ct2.${payload}.${signature}`,
    "signed with another key": issueTerminalToken(account, "another key"),
    "signed with no key": issueTerminalToken(account, ""),
    "that holds no account": issueTerminalToken({ account: "a:b", name: "x" }, ADMINISTRATOR),
  };

  it.for(Object.keys(bad))("that is %s opens nothing", async (what) => {
    const token = bad[what] ?? null;
    const routes = [
      "POST /api/messages",
      "GET /api/terminal?conversation=main",
      "GET /api/projects",
      "POST /api/setup",
      "GET /api/nothing",
    ];
    for (const route of routes) {
      const response = await request(route, {
        token,
        ...(route.startsWith("POST") ? { body: JSON.stringify(ok) } : {}),
      });
      expect([route, response.status, response.headers.get("www-authenticate")]).toEqual([route, 401, "Bearer"]);
      expect((await errorOf(response)).code).toBe("unauthorized");
    }
  });

  it("has to be a bearer token, in any spelling of that word", async () => {
    const as = async (authorization: string) =>
      (await exports.default.fetch("http://codespar.test/api/projects", { headers: { authorization } })).status;
    expect([
      await as(`Basic ${btoa(`admin:${ADMINISTRATOR}`)}`),
      await as(ADMINISTRATOR),
      await as(`bearer ${ADMINISTRATOR}`),
    ]).toEqual([401, 401, 200]);
  });

  it("of a terminal opens no administration", async () => {
    for (const route of [
      "GET /api/projects",
      "POST /api/setup",
      "POST /api/tokens",
      "POST /api/claim-codes",
      "GET /api/organisation/audit",
      "GET /api/projects/x/audit",
    ]) {
      const response = await request(route, {
        token: tokenOf("anna"),
        ...(route.startsWith("POST") ? { body: "{}" } : {}),
      });
      expect([route, response.status]).toEqual([route, 403]);
    }
  });

  it("is issued by the administrator, and reads back as the same account", async () => {
    const { token } = await (
      await post("/api/tokens", { account: "bo@example.com", name: "Bo 🚀" })
    ).json<{ token: string }>();
    expect(readTerminalToken(token, ADMINISTRATOR)).toEqual({ account: "bo@example.com", name: "Bo 🚀" });
  });

  it("has to be configured before anyone gets in", async () => {
    const { API_TOKEN: _, ...without } = env;
    for (const bindings of [without, { ...without, API_TOKEN: "" }]) {
      const response = await app.request("/api/projects", { headers: { authorization: "Bearer " } }, bindings);
      expect([response.status, (await errorOf(response)).code]).toEqual([503, "not_configured"]);
    }
  });
});

describe("a message", () => {
  it("gets a delivery id when it has none", async () => {
    const { token } = await setUp();
    const { id, repeated } = await (await post("/api/messages", ok, token)).json<{ id: string; repeated: boolean }>();
    expect([id.length, repeated]).toEqual([36, false]);
  });

  it("that comes twenty times at once has one effect", async () => {
    const anna = await setUp({ onGitHub: true });
    const { account, token, repository } = anna;
    await makeOwner(anna);
    const body = { id: "one", conversation: "main", text: "fix the login timeout" };
    const responses = await Promise.all(Array.from({ length: 20 }, () => post("/api/messages", body, token)));
    const answers = await Promise.all(responses.map((response) => response.json<{ repeated: boolean }>()));
    expect(responses.map(({ status }) => status)).toEqual(Array<number>(20).fill(202));
    expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1);
    expect(await finalReply({ account, name: "Anna", conversation: "main" }, "one")).toMatchObject({ ok: true });
    const writes: string[] = await gitHub("/writes", { repository });
    expect(writes.filter((line) => line.includes("/pulls"))).toHaveLength(1);
  });

  it("of the administrator comes from an account of its own, which is nobody in a project", async () => {
    const conversation = unique("main");
    await post("/api/messages", { id: "one", conversation, text: "whoami" });
    const reply = await finalReply({ account: "admin", name: "administrator", conversation }, "one");
    expect(JSON.stringify(reply.blocks)).toContain("read-only");
  });

  it.for([
    ["a project's agent", ProjectAgent],
    ["the Coordinator", Coordinator],
  ] as const)("is answered with 503 when %s cannot be reached, so that it is sent again", async ([, agent]) => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { token } = await setUp();
    const conversation = agent === ProjectAgent ? "main" : unique("unlinked");
    const body = { id: "one", conversation, text: "status" };
    vi.spyOn(agent.prototype, "receive").mockRejectedValueOnce(new Error("secret detail"));
    const response = await post("/api/messages", body, token);
    expect(response.status).toBe(503);
    expect(JSON.stringify(await errorOf(response))).not.toContain("secret");
    expect((await post("/api/messages", body, token)).status).toBe(202);
  });
});

describe("the administrator", () => {
  it("sees every project, and exports its chain as it was hashed", async () => {
    const { account, project, repository, token } = await setUp();
    await post("/api/messages", { id: "one", conversation: "main", text: "register Anna 🚀 “quoted”" }, token);
    await finalReply({ account, name: "Anna", conversation: "main" }, "one");
    const { projects } = await (
      await request("GET /api/projects")
    ).json<{ projects: { name: string; repository: string }[] }>();
    expect(projects).toContainEqual({ name: project, repository });

    const response = await request(`GET /api/projects/${project}/audit`);
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    const lines = (await response.text()).trimEnd().split("\n");
    expect(verifyChain(lines.map(parseExportLine), { sha256, chain: `project:default/${project}` })).toMatchObject({
      ok: true,
      entries: lines.length,
    });
    const organisation = (await (await request("GET /api/organisation/audit")).text()).trimEnd().split("\n");
    expect(verifyChain(organisation.map(parseExportLine), { sha256, chain: "organisation:default" })).toMatchObject({
      ok: true,
    });
  });

  it("sets up the same twice without a second project or entry", async () => {
    const { account, project, repository } = await setUp();
    const entries = async () =>
      (await (await request("GET /api/organisation/audit")).text()).split("\n").filter((line) => line.includes(project))
        .length;
    const before = await entries();
    const again = await post("/api/setup", {
      account,
      name: "Anna",
      project: { name: project, repository },
      conversation: "main",
    });
    expect(await again.json()).toEqual({ project, conversation: "main", created: false });
    expect(await entries()).toBe(before);
  });

  it("makes nobody an owner by setting up where there is one", async () => {
    const [first, second] = [await setUp(), await setUp()];
    const roleOf = async ({ account, token }: { account: string; token: string }) => {
      await post("/api/messages", { id: "who", conversation: "main", text: "whoami" }, token);
      return JSON.stringify((await finalReply({ account, name: "Anna", conversation: "main" }, "who")).blocks);
    };
    expect(await roleOf(second)).toContain("read-only");
    expect(first.project).not.toBe(second.project);
  });

  it("gets claim codes that are never the same", async () => {
    const codes = await Promise.all(
      [1, 2, 3].map(async () => (await (await post("/api/claim-codes", {})).json<{ code: string }>()).code),
    );
    expect(new Set(codes).size).toBe(3);
    expect(codes.every((code) => /^[0-9a-f]{32}$/.test(code))).toBe(true);
    await eventually(async () =>
      expect(await (await request("GET /api/organisation/audit")).text()).not.toContain(codes[0]),
    );
  });
});
