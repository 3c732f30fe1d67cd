import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { markdown } from "#emulators/github/markdown.ts";
import { api, openPull, startWorld, type World } from "./github-world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
  const files = { "README.md": "# Shop\n", "old.txt": "same\n".repeat(20), "long.txt": "x\n" };
  await world.emulator.create("me", "shop", { mirrorOf: world.userRepository("user", files) });
});
afterAll(() => world.end());

async function page(path: string): Promise<{ status: number; html: string; headers: Headers }> {
  const response = await fetch(world.emulator.url + path);
  return { status: response.status, html: await response.text(), headers: response.headers };
}

test("shows a pull request with its diff, checks and the command to take it", async () => {
  const { sha, number } = await openPull(
    world,
    "me/shop",
    "codespar/task-1",
    { "README.md": "# Shop\n<script>alert(1)</script>\n" },
    "Fix <b>it</b>",
  );
  await api(world, `POST /repos/me/shop/check-runs`, { name: "unit tests", head_sha: sha, conclusion: "failure" });
  await api(world, `PATCH /repos/me/shop/pulls/${number}`, { body: "# What\n\n<img src=x onerror=alert(1)>" });
  const { html, status, headers } = await page(`/me/shop/pull/${number}`);
  expect(status).toBe(200);
  expect(headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(html).toContain("Fix &lt;b&gt;it&lt;/b&gt;");
  expect(html).toContain("git merge codespar/task-1");
  expect(html).toContain("unit tests");
  expect(html).toContain("+&lt;script&gt;alert(1)&lt;/script&gt;");
  expect(html).toContain("<h3>What</h3>");
  expect(html).not.toMatch(/<script|<img|onerror=alert\(1\)>/);
});

test("is where the API says a pull request can be looked at", async () => {
  const { number } = await openPull(world, "me/shop", "codespar/task-2", { "a.txt": "1\n" });
  const { body } = await api(world, `GET /repos/me/shop/pulls/${number}`);
  expect(body.html_url).toBe(`${world.emulator.url}/me/shop/pull/${number}`);
  expect((await page(new URL(body.html_url).pathname)).status).toBe(200);
});

test("says where a large diff is cut", async () => {
  const { number } = await openPull(world, "me/shop", "codespar/task-3", { "long.txt": "line\n".repeat(5000) });
  const { html } = await page(`/me/shop/pull/${number}`);
  expect(html).toMatch(/Cut here: \d+ more lines are not shown/);
  expect(html.length).toBeLessThan(1_000_000);
});

test("lists repositories and pull requests", async () => {
  expect((await page("/")).html).toContain('href="/me/shop"');
  expect((await page("/me/shop")).html).toMatch(/Default branch\s+<code>main<\/code>/);
  expect((await page("/me/nothing")).status).toBe(404);
});

test("answers nothing to a foreign name that points to this machine", async () => {
  const { hostname, port } = new URL(world.emulator.url);
  const status = await new Promise((resolve, reject) => {
    request({ hostname, port, path: "/", headers: { host: "evil.example" } }, (response) =>
      resolve(response.resume().statusCode),
    )
      .on("error", reject)
      .end();
  });
  expect(status).toBe(403);
});

describe("markdown", () => {
  test.each([
    ["# One\n## Two", "<h3>One</h3>\n<h4>Two</h4>"],
    ["- a\n- [x] **b**", "<ul><li>a</li><li>☑ <strong>b</strong></li></ul>"],
    ["1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"],
    ["> a\n> b", "<blockquote><p>a<br>b</p></blockquote>"],
    ["```ts\n<a> **b**\n```\nc", "<pre><code>&lt;a&gt; **b**</code></pre>\n<p>c</p>"],
    ["`<a> **b**`", "<p><code>&lt;a&gt; **b**</code></p>"],
    ["[a](https://b.example/c)", '<p><a href="https://b.example/c" rel="noopener noreferrer nofollow">a</a></p>'],
    ["[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>"],
    [
      '[a](https://b.example/"onmouseover=x)',
      '<p>[a](<a href="https://b.example/" rel="noopener noreferrer nofollow">https://b.example/</a>&quot;onmouseover=x)</p>',
    ],
    ["<script>", "<p>&lt;script&gt;</p>"],
  ])("renders %j", (source, expected) => {
    expect(markdown(source).text).toBe(expected);
  });

  test("does not sink in a deep nest of quotes", () => {
    expect(markdown(">".repeat(100_000)).text).toContain("&gt;");
  });
});
