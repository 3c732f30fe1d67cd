import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { GENESIS_HASH, sealEntry } from "#core/audit.ts";
import { exportLine } from "#core/audit-export.ts";
import { runCli, temporaryFolder } from "./run-cli.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

function chain(length: number): string[] {
  let previousHash = GENESIS_HASH;
  return Array.from({ length }, (_, index) => {
    const fields = {
      chain: "project:default/sample-project",
      sequence: index + 1,
      at: "2026-11-20T10:00:00.000Z",
      actor: { kind: "person" as const, id: "anna", name: "Anna" },
      action: "command",
      subject: `fix number ${index + 1} — ü`,
      details: {},
    };
    const sealed = sealEntry(fields, previousHash, sha256);
    previousHash = sealed.hash;
    return exportLine({ sequence: index + 1, ...sealed });
  });
}

const verify = async (content: string | Buffer, ...options: string[]) => {
  const file = join(temporaryFolder(), "audit.ndjson");
  writeFileSync(file, content);
  return runCli(["audit", "verify", file, ...options]);
};
const whole = (lines: string[]) => lines.map((line) => `${line}\n`).join("");

test("finds a good export intact, and names its head", async () => {
  const lines = chain(300);
  const { stdout, code } = await verify(whole(lines));
  const { hash } = JSON.parse(lines.at(-1) ?? "") as { hash: string };
  expect(stdout).toBe(`Intact: 300 entries, head 300:${hash}\n`);
  expect(code).toBe(0);
});

test("names the first entry that was altered", async () => {
  const lines = chain(10);
  lines[4] = (lines[4] ?? "").replace("number 5", "number 6");
  const { stderr, code } = await verify(whole(lines));
  expect(stderr).toContain("NOT INTACT at entry 5");
  expect(code).toBe(1);
});

test("names the entry that is missing from the middle", async () => {
  const { stderr, code } = await verify(whole(chain(10).toSpliced(6, 1)));
  expect(stderr).toContain("NOT INTACT at entry 7");
  expect(code).toBe(1);
});

test("finds an export that was cut in the middle of an entry", async () => {
  const { stderr, code } = await verify(whole(chain(5)).slice(0, -50));
  expect(stderr).toContain("NOT INTACT at entry 5");
  expect(code).toBe(1);
});

test("finds a cut end when it is told the head", async () => {
  const lines = chain(10);
  const { hash } = JSON.parse(lines.at(-1) ?? "") as { hash: string };
  const cut = whole(lines.slice(0, 8));
  expect((await verify(cut)).code).toBe(0);
  const { stderr, code } = await verify(cut, "--head", `10:${hash}`);
  expect(stderr).toContain("its end is missing");
  expect(code).toBe(1);
});

test.each([
  ["empty", Buffer.alloc(0), "is empty"],
  ["no export", Buffer.from("hello\nworld\n"), "Entry 1 cannot be read. Is"],
  ["binary", randomBytes(100_000), "Entry 1 cannot be read. Is"],
  ["one endless line", Buffer.alloc(20_000_000, "x"), "Entry 1 cannot be read. Is"],
])("says that a file that is %s is no intact export", async (_, content, words) => {
  const { stderr, code } = await verify(content);
  expect(stderr).toContain(words);
  expect(stderr).not.toContain("    at ");
  expect(code).toBe(1);
});

test.each(["\n> codespar@0.1.0 codespar\n> node cli/main.ts audit export\n\n", "> codespar@0.1.0 codespar\n"])(
  "says that npm wrote into the export: %j",
  async (banner) => {
    const { stderr, code } = await verify(banner + whole(chain(3)));
    expect(stderr).toContain("NOT INTACT at entry 1");
    expect(stderr).toContain("begins with what npm says");
    expect(stderr).toContain("npm run -s codespar -- audit export");
    expect(code).toBe(1);
  },
);

test("says that a file does not exist, or is a folder", async () => {
  const folder = temporaryFolder();
  expect(await runCli(["audit", "verify", join(folder, "nowhere")])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("it does not exist"),
  });
  expect(await runCli(["audit", "verify", folder])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("it is a folder"),
  });
});

/** A Worker's audit route: `body` for the right token and project. */
async function auditServer(body: string, breakOff = false): Promise<string> {
  const server = createServer((request, response) => {
    if (request.headers.authorization !== "Bearer admin") {
      response.writeHead(401).end(JSON.stringify({ error: { code: "unauthorised", message: "No." } }));
    } else if (request.url === "/api/projects/shop/audit" || request.url === "/api/organisation/audit") {
      response.write(body);
      if (breakOff) setImmediate(() => response.destroy());
      else response.end();
    } else {
      response
        .writeHead(404)
        .end(JSON.stringify({ error: { code: "not_found", message: "There is no such project." } }));
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("exports what can be verified, byte for byte", async () => {
  const body = whole(chain(2000));
  const url = await auditServer(body);
  const exported = await runCli(["audit", "export", "--url", url, "--token", "admin", "--project", "shop"]);
  expect(exported.code).toBe(0);
  expect(exported.stdout).toBe(body);
  expect(exported.stderr).toContain("2000 entries");
  const organisation = await runCli(["audit", "export", "--url", url, "--organisation"], {
    env: { CODESPAR_API_TOKEN: "admin" },
  });
  expect(organisation.stdout).toBe(body);
});

test("passes on why an export was refused", async () => {
  const url = await auditServer("");
  expect(await runCli(["audit", "export", "--url", url, "--token", "admin", "--project", "none"])).toMatchObject({
    code: 1,
    stderr: "There is no such project.\n",
  });
  expect(await runCli(["audit", "export", "--url", url, "--token", "x", "--project", "shop"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("refused the token"),
  });
});

test("says that an export broke off", async () => {
  const url = await auditServer(whole(chain(3)), true);
  const { stderr, code } = await runCli(["audit", "export", "--url", url, "--token", "admin", "--project", "shop"]);
  expect(stderr).toContain("broke off");
  expect(code).toBe(1);
});
