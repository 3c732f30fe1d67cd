import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { AuditEntry } from "#core/audit.ts";
import { parseExportLine } from "#core/audit-export.ts";
import { toPlainText } from "#core/response.ts";
import type { ReplyFunction, ScriptedReply, SeenRequest } from "#emulators/model/script.ts";
import { git, gitOutput, type Stack, startStack } from "./stack.ts";
import { TerminalClient } from "./terminal-client.ts";

export const LONG_LINES = 1500;
const FILES: Record<string, string | Buffer> = {
  "src/windows.txt": "one\r\ntwo\r\nthree\r\n",
  "src/doubled.js": "start();\nwork();\nwork();\nend();\n",
  "bin/run.sh": "#!/bin/sh\necho old\n",
  ".github/workflows/ci.yml": "on: push\n",
  "assets/logo.png": Buffer.from([137, 80, 78, 71, 0, 1, 2, 3]),
  "data/long.txt": Array.from({ length: LONG_LINES }, (_, line) => `line ${line} of a long file\n`).join(""),
};

type Body = { model: string; max_tokens: number; system: unknown; messages: { role: string; content: unknown }[] };
type Ended = { id: string; ok: boolean; text: string; progress: string; branch: string };
type Answer = ScriptedReply | ReplyFunction;

export type EdgeWorld = Awaited<ReturnType<typeof startEdgeWorld>>;

export const isPick = ({ model }: { model: string }): boolean => model.includes("haiku");

/** The product with the emulated model and a repository that has a bit of everything, and somebody at a terminal. */
export async function startEdgeWorld(bindings: Record<string, string> = {}) {
  const directory = mkdtempSync(join(tmpdir(), "codespar-edge-"));
  cpSync(join(import.meta.dirname, "../../emulators/sample-project"), directory, { recursive: true });
  for (const [path, content] of Object.entries(FILES)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  chmodSync(join(directory, "bin/run.sh"), 0o755);
  const stack: Stack = await startStack({
    account: "anna",
    withModel: true,
    fromDirectory: directory,
    bindings: { WATCHDOG_MS: "1500", GITHUB_TIMEOUT_MS: "5000", ...bindings },
  });
  const terminal = new TerminalClient(stack.runtime.url, await stack.terminalToken("anna"), "main");
  let asked = 0;
  let requestsBefore = 0;
  let picks: readonly string[] = [];

  const world = {
    stack,
    terminal,
    /** What the small model chooses, and what the large one answers, in order. */
    script(paths: readonly string[], ...answers: Answer[]): void {
      picks = paths;
      const left = [...answers];
      requestsBefore = world.calls();
      stack.model.script.clear();
      stack.model.script.reply((request: SeenRequest) => {
        if (isPick(request)) return { json: { paths: picks } };
        const next = left.shift() ?? "Nothing is left in the script.";
        return typeof next === "function" ? next(request) : next;
      });
    },
    say(text: string): string {
      asked += 1;
      const id = `edge-${asked}`;
      terminal.say(id, text);
      return id;
    },
    async ended(id: string): Promise<Ended> {
      const final = await terminal.final(id, 90_000);
      const progress = terminal.shown.filter((shown) => shown.inReplyTo === id && shown.kind === "progress");
      const text = toPlainText(final.blocks);
      return {
        id,
        ok: final.ok,
        text,
        progress: progress.map(({ blocks }) => toPlainText(blocks)).join("\n"),
        branch: /codespar\/task-[a-z0-9]{8}/.exec(text)?.[0] ?? "none",
      };
    },
    ask: (text: string): Promise<Ended> => world.ended(world.say(text)),
    /** What the model was asked since it was scripted: bodies of requests, those for picking left out. */
    requests: (): Body[] =>
      stack.model.requests
        .filter(({ n }) => n > requestsBefore)
        .map(({ body }) => body as Body)
        .filter((body) => !isPick(body)),
    /** How many model requests there were in all. */
    calls: (): number => stack.model.requests.at(-1)?.n ?? 0,
    branches: (): string => git(stack.repository, "for-each-ref", "--format=%(refname)", "refs/heads/codespar"),
    async pulls(branch?: string): Promise<{ number: number; body: string; title: string }[]> {
      const head = branch === undefined ? "" : `&head=local:${branch}`;
      const response = await fetch(`${stack.github.url}/repos/local/shop/pulls?state=all&per_page=100${head}`, {
        headers: { authorization: "Bearer github-token-for-tests" },
      });
      return (await response.json()) as { number: number; body: string; title: string }[];
    },
    /** A file as a branch has it, to the last byte. */
    show: (branch: string, path: string): string => gitOutput(stack.repository, "show", `${branch}:${path}`),
    /** What a branch changes, as git says it: `M\tsrc/login.js`. */
    changes: (branch: string): string => git(stack.repository, "diff", "--name-status", `main...${branch}`),
    async close() {
      terminal.close();
      await stack.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return world;
}

export const textOf = (content: unknown): string =>
  typeof content === "string" ? content : (content as { text?: string }[]).map(({ text }) => text ?? "").join("\n");

/** The project's audit, as it is exported. */
export async function exportedEntries({ stack }: EdgeWorld): Promise<AuditEntry[]> {
  const response = await stack.api("GET", "/api/projects/shop/audit");
  const lines = (await response.text()).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(parseExportLine(line)?.text ?? "null") as AuditEntry);
}
