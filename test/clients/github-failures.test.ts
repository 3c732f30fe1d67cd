import { createVerify, generateKeyPairSync, type KeyObject } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createGitHub, type GitHubOptions } from "#clients/github.ts";
import { rateLimitDelay } from "#clients/github-errors.ts";
import { openPull, startWorld, write, type World } from "../emulators/github-world.ts";

let world: World;
const repo = { owner: "acme", name: "shop" };
const TOKEN = "write-token";

beforeAll(async () => {
  world = await startWorld();
  write(world.path("files"), { "a.txt": "a\n" });
  await world.emulator.create("acme", "shop", { fromDirectory: world.path("files") });
  await world.emulator.create("acme", "empty", { empty: true });
});
afterEach(() => world.emulator.faults.clear());
afterAll(() => world.end());

const connect = (options: Partial<GitHubOptions> = {}) =>
  createGitHub({ apiUrl: world.emulator.url, auth: { type: "token", token: TOKEN }, timeoutMs: 10_000, ...options });

async function failureOf(work: Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await work;
  } catch (error) {
    const { name, message, retryable, retryAfterMs } = error as Record<string, unknown>;
    expect(String(message)).not.toContain(TOKEN);
    return { name, message, retryable, retryAfterMs };
  }
  throw new Error("It succeeded.");
}

function answerWith(
  status: number,
  headers: Record<string, string> = {},
  body: unknown = { message: "Said by GitHub" },
): void {
  world.emulator.faults.add({ match: {}, effect: { kind: "answer", status, headers, body } });
}

test("a repository that is not there", async () => {
  expect(await failureOf(connect().repository({ owner: "acme", name: "nothing" }))).toMatchObject({
    name: "NotFoundError",
    message:
      "GitHub knows no repository acme/nothing, or the token may not see it. Check the name with `link`, and that the token or app has access.",
  });
});

test("a code search of a repository that is not there, and one too many", async () => {
  expect(await failureOf(connect().searchCode({ owner: "acme", name: "nothing" }, ["word"], 5))).toMatchObject({
    name: "InvalidInputError",
    message: expect.stringContaining("would not search the code in acme/nothing"),
  });
  answerWith(403, { "retry-after": "30" }, { message: "You have exceeded a secondary rate limit." });
  expect(await failureOf(connect().searchCode(repo, ["word"], 5))).toMatchObject({
    name: "UpstreamError",
    retryable: true,
    retryAfterMs: 30_000,
  });
});

test("a branch, pull request or tree that is not there", async () => {
  expect(await failureOf(connect().head(repo, "nothing"))).toMatchObject({
    name: "NotFoundError",
    message: expect.stringContaining("acme/shop has no branch nothing"),
  });
  expect(await failureOf(connect().pullRequest(repo, 99))).toMatchObject({
    name: "NotFoundError",
    message: expect.stringContaining("no pull request #99"),
  });
  expect(await failureOf(connect().tree(repo, "f".repeat(40)))).toMatchObject({ name: "NotFoundError" });
});

test("a repository without commits", async () => {
  expect(await failureOf(connect().head({ owner: "acme", name: "empty" }, "main"))).toMatchObject({
    name: "InvalidInputError",
    message: "acme/empty has no commits yet. Push a first commit and ask again.",
  });
});

test("credentials that are refused", async () => {
  const github = connect({ auth: { type: "token", token: "stale" } });
  expect(await failureOf(github.repository(repo))).toMatchObject({
    name: "UpstreamError",
    retryable: false,
    message: expect.stringContaining("GITHUB_TOKEN"),
  });
});

test("a token that may only read", async () => {
  const github = connect({ auth: { type: "token", token: "read-token" } });
  const { number } = await openPull(world, "acme/shop", "readable", { "r.txt": "r\n" });
  expect((await github.pullRequest(repo, number)).number).toBe(number);
  expect(
    await failureOf(github.openPullRequest(repo, { head: "x", base: "main", title: "x", body: "", draft: false })),
  ).toMatchObject({
    name: "UpstreamError",
    retryable: false,
    message: expect.stringContaining(
      "The token may not open a pull request in acme/shop. It needs the permission contents: write and pull requests: write.",
    ),
  });
});

describe("limits", () => {
  test.each([
    [403, { "retry-after": "7" }, {}, 7000],
    [429, { "retry-after": "0" }, {}, 0],
    [429, {}, {}, 60_000],
    [403, {}, { message: "You have exceeded a secondary rate limit. Please wait" }, 60_000],
    [403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000000030" }, {}, 30_000],
    [403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "5" }, {}, 1000],
    [403, { "x-ratelimit-remaining": "12" }, { message: "Resource not accessible" }, null],
    [404, { "retry-after": "7" }, {}, null],
  ])("%i with %j and %j", (status, headers, body, expected) => {
    const message = "message" in body ? body.message : "";
    expect(rateLimitDelay({ status, headers, message: message ?? "", details: [] }, 1_000_000_000_000)).toBe(expected);
  });

  test("are told as something to try again, with when", async () => {
    answerWith(403, { "retry-after": "90" });
    expect(await failureOf(connect().repository(repo))).toMatchObject({
      name: "UpstreamError",
      retryable: true,
      retryAfterMs: 90_000,
      message: expect.stringContaining("Try again in 90 seconds."),
    });
  });
});

test.each([500, 502, 503, 504])("GitHub's own failure %i, after one attempt", async (status) => {
  answerWith(status, {}, "<html>oops</html>");
  const before = world.emulator.requests.at(-1)?.n ?? 0;
  expect(await failureOf(connect().repository(repo))).toMatchObject({
    name: "UpstreamError",
    retryable: true,
    retryAfterMs: null,
  });
  expect((world.emulator.requests.at(-1)?.n ?? 0) - before).toBe(1);
});

test("what GitHub finds invalid, in its own words", async () => {
  const pull = { head: "nothing", base: "main", title: "x", body: "", draft: false };
  expect(await failureOf(connect().openPullRequest(repo, pull))).toMatchObject({
    name: "InvalidInputError",
    message: expect.stringContaining("Validation Failed"),
  });
  const files = [{ path: "../x", content: "x" }];
  const base = await connect().head(repo, "main");
  const author = { name: "A", email: "a@b.c", date: "2026-01-01T00:00:00Z" };
  expect(await failureOf(connect().commit(repo, { base, message: "m", author, files }))).toMatchObject({
    name: "InvalidInputError",
    message: expect.stringContaining("malformed path component"),
  });
});

test("a lost connection", async () => {
  world.emulator.faults.add({ match: {}, times: 1, effect: { kind: "lose-answer" } });
  expect(await failureOf(connect().repository(repo))).toMatchObject({
    name: "UpstreamError",
    retryable: true,
    message: expect.stringContaining("could not be reached"),
  });
  expect(await failureOf(connect({ apiUrl: "http://127.0.0.1:1" }).repository(repo))).toMatchObject({
    name: "UpstreamError",
    retryable: true,
  });
});

test("no answer in time", async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  world.emulator.hooks.onRequest = () => held;
  try {
    expect(await failureOf(connect({ timeoutMs: 50 }).repository(repo))).toMatchObject({
      name: "UpstreamError",
      retryable: true,
      message: "GitHub did not answer within 50 ms. Try again in a moment.",
    });
  } finally {
    delete world.emulator.hooks.onRequest;
    release();
  }
});

test("a body that stops half way", async () => {
  const stalled = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode('{"full_')),
  });
  const fetch: typeof globalThis.fetch = async (_, init) => {
    const body = stalled.pipeThrough(new TransformStream(), init?.signal ? { signal: init.signal } : {});
    return new Response(body, { headers: { "content-type": "application/json" } });
  };
  expect(await failureOf(connect({ timeoutMs: 50, fetch }).repository(repo))).toMatchObject({
    name: "UpstreamError",
    retryable: true,
  });
});

test.each(["<html>", "[]", "{}", '{"full_name":7}', ""])("an answer that makes no sense: %j", async (body) => {
  world.emulator.faults.add({ match: {}, times: 1, effect: { kind: "malformed-body", body } });
  expect(await failureOf(connect().repository(repo))).toMatchObject({
    name: "UpstreamError",
    message: expect.stringContaining("could not be understood"),
  });
});

describe("as a GitHub App", () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pkcs1 = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
  const json = (status: number, body: unknown) =>
    new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });

  /** The two endpoints of GitHub that apps sign in with, before the emulator. */
  function appServer(key: KeyObject, installed = true) {
    const asked: string[] = [];
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const { pathname } = new URL(input instanceof Request ? input.url : input);
      const authorization = new Headers(init?.headers).get("authorization") ?? "";
      const isApps = /\/installation$|^\/app\//.test(pathname);
      if (!isApps) return globalThis.fetch(input, init);
      asked.push(pathname);
      const [header, payload, signature = ""] = authorization.replace(/^bearer /i, "").split(".");
      const isSigned = createVerify("RSA-SHA256").update(`${header}.${payload}`).verify(key, signature, "base64url");
      if (!isSigned) return json(401, { message: "A JSON web token could not be decoded" });
      if (pathname.endsWith("/installation"))
        return installed ? json(200, { id: 77 }) : json(404, { message: "Not Found" });
      const expires = new Date(Date.now() + 3_600_000).toISOString();
      return json(201, {
        token: TOKEN,
        expires_at: expires,
        permissions: { contents: "write" },
        repository_selection: "all",
      });
    };
    return { asked, fetch };
  }

  const app = (key: string, fetch: typeof globalThis.fetch, installationId: string | null = null) =>
    connect({ auth: { type: "app", appId: "12", privateKey: key, installationId }, fetch });

  test("signs in with a PKCS#1 key, and looks the installation up only once", async () => {
    const { asked, fetch } = appServer(publicKey);
    const github = app(pkcs1.replaceAll("\n", "\\n"), fetch);
    expect((await github.repository(repo)).fullName).toBe("acme/shop");
    await github.head(repo, "main");
    expect(asked).toEqual(["/repos/acme/shop/installation", "/app/installations/77/access_tokens"]);
  });

  test("uses the installation it was given", async () => {
    const { asked, fetch } = appServer(publicKey);
    await app(pkcs1, fetch, "5").repository(repo);
    expect(asked).toEqual(["/app/installations/5/access_tokens"]);
  });

  test("asks for a new token after its own was refused", async () => {
    const { asked, fetch } = appServer(publicKey);
    const github = app(pkcs1, fetch, "5");
    await github.repository(repo);
    world.emulator.faults.add({
      match: {},
      times: 1,
      effect: { kind: "answer", status: 401, body: { message: "Bad credentials" } },
    });
    expect(await failureOf(github.repository(repo))).toMatchObject({ name: "UpstreamError", retryable: false });
    await github.repository(repo);
    expect(asked).toHaveLength(2);
  });

  test("says that it is not installed, or its key is wrong", async () => {
    expect(await failureOf(app(pkcs1, appServer(publicKey, false).fetch).repository(repo))).toMatchObject({
      name: "NotFoundError",
      message: expect.stringContaining("The GitHub App is not installed on acme/shop"),
    });
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey;
    expect(await failureOf(app(pkcs1, appServer(other).fetch).repository(repo))).toMatchObject({
      message: expect.stringContaining("GITHUB_APP_PRIVATE_KEY"),
    });
    const failure = await failureOf(app("no key", appServer(publicKey).fetch).repository(repo));
    expect(failure).toMatchObject({ name: "UpstreamError", message: expect.stringContaining("no PEM private key") });
  });
});
