import { describe, expect, it } from "vitest";
import { errorOf, post, request, setUp } from "./client.ts";
import { finalReply, unique } from "./world.ts";

const MIB = 1024 * 1024;
const ok = { conversation: "main", text: "status" };

describe("a body", () => {
  /** A message whose JSON has this many bytes: spaces around JSON mean nothing. */
  const padded = (bytes: number): string => {
    const json = JSON.stringify({ ...ok, conversation: unique("padded") });
    return json + " ".repeat(bytes - json.length);
  };
  const streamed = (text: string): ReadableStream => {
    const bytes = new TextEncoder().encode(text);
    let at = 0;
    return new ReadableStream({
      pull(controller) {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.subarray(at, at + 65_536));
        at += 65_536;
      },
    });
  };

  it("may have 1 MiB", async () => {
    expect((await post("/api/messages", padded(MIB))).status).toBe(202);
  });

  it("may not have a byte more", async () => {
    const response = await post("/api/messages", padded(MIB + 1));
    expect([response.status, (await errorOf(response)).code]).toEqual([413, "too_large"]);
  });

  it.for(["/api/messages", "/webhooks/slack", "/nothing"])(
    "is refused at %s before anything else is looked at",
    async (path) => {
      expect((await post(path, "x".repeat(MIB + 1), null)).status).toBe(413);
    },
  );

  it("that comes in chunks may have 1 MiB, and not a byte more", async () => {
    expect((await request("POST /api/messages", { body: streamed(padded(MIB)) })).status).toBe(202);
    const response = await request("POST /api/messages", { body: streamed(padded(MIB + 1)) });
    expect([response.status, (await errorOf(response)).code]).toEqual([413, "too_large"]);
  });
});

describe("bad input", () => {
  const bodies: Record<string, string> = {
    nothing: "",
    "no JSON": "{",
    null: "null",
    "a list": "[]",
    "a text": '"x"',
    "an empty object": "{}",
    "numbers for texts": '{"conversation":1,"text":2}',
    "nested nonsense": "[".repeat(20_000),
    "a prototype": '{"__proto__":{"conversation":"main","text":"x"}}',
    "bytes that are no text": "\u0000\uffff\u202e",
    "too long a text": JSON.stringify({ ...ok, text: "x".repeat(100_001) }),
    "an empty delivery id": JSON.stringify({ ...ok, id: "" }),
    "too long a delivery id": JSON.stringify({ ...ok, id: "x".repeat(101) }),
    "an empty conversation": JSON.stringify({ ...ok, conversation: "" }),
    "another's conversation": JSON.stringify({ ...ok, conversation: "anna:main" }),
    "a path for a conversation": JSON.stringify({ ...ok, conversation: "../main" }),
    "an emoji for a conversation": JSON.stringify({ ...ok, conversation: "🚀" }),
    "an invisible conversation": JSON.stringify({ ...ok, conversation: "\u200b" }),
  };

  it.for(Object.keys(bodies))("of %s is answered with 400 and what is wrong", async (what) => {
    for (const path of ["/api/messages", "/api/setup", "/api/tokens"]) {
      const response = await post(path, bodies[what]);
      expect([path, response.status]).toEqual([path, 400]);
      const { code, message } = await errorOf(response);
      expect(code).toBe("invalid_input");
      expect(message).not.toMatch(/\bat .*\.ts|SyntaxError/);
    }
  });

  it.for([
    ["a repository without owner", { project: { name: "shop", repository: "shop" } }],
    ["a repository with a path", { project: { name: "shop", repository: "acme/shop/src" } }],
    ["a repository that is a way up", { project: { name: "shop", repository: "acme/.." } }],
    ["a project in upper case", { project: { name: "Shop", repository: "acme/shop" } }],
    ["a project with a slash", { project: { name: "a/b", repository: "acme/shop" } }],
    ["an account with a colon", { account: "a:b" }],
    ["no name", { name: "" }],
  ] as const)("of setup with %s changes nothing", async ([, wrong]) => {
    const before = await (await request("GET /api/projects")).json();
    const good = {
      account: "anna",
      name: "Anna",
      conversation: "main",
      project: { name: "shop", repository: "acme/shop" },
    };
    expect((await post("/api/setup", { ...good, ...wrong })).status).toBe(400);
    expect(await (await request("GET /api/projects")).json()).toEqual(before);
  });

  it.for(["nothing", "..", "%2e%2e", "__proto__", "%F0%9F%9A%80", "a%2Fb", "%E0%A4%A", "x".repeat(500)])(
    "of the unknown project %s is answered with 404",
    async (name) => {
      expect((await request(`GET /api/projects/${name}/audit`)).status).toBe(404);
    },
  );

  it("of a terminal that is no WebSocket, or names no conversation, is told how", async () => {
    expect((await request("GET /api/terminal?conversation=main")).status).toBe(426);
    const upgrade = { headers: { upgrade: "websocket" } };
    for (const query of [
      "",
      "?conversation=",
      "?conversation=a%3Ab",
      "?conversation=%F0%9F%9A%80",
      `?conversation=${"x".repeat(100)}`,
    ]) {
      expect((await request(`GET /api/terminal${query}`, upgrade)).status).toBe(400);
    }
  });

  it.for([
    ["no text", ""],
    ["emoji", "🚀🎉"],
    ["right-to-left text", "שלום"],
    ["zero-width text", "\u200b\u200d"],
    ["half a character", "\ud800"],
    ["100,000 characters", "x".repeat(100_000)],
    ["100,000 control characters", "\u0001".repeat(100_000)],
  ] as const)("that is only strange, %s, is accepted and answered", async ([, text]) => {
    const { account, token } = await setUp();
    const response = await post("/api/messages", { id: "one", conversation: "main", text }, token);
    expect([response.status, await response.json()]).toEqual([202, { id: "one", repeated: false }]);
    expect((await finalReply({ account, name: "Anna", conversation: "main" }, "one")).blocks.length).toBeGreaterThan(0);
  });
});
