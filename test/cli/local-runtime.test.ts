import { createServer } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { freePort } from "#cli/free-port.ts";
import { type LocalRuntime, type LocalRuntimeOptions, startLocalRuntime } from "#cli/local-runtime.ts";
import { temporaryFolder } from "./run-cli.ts";

async function start(options: Partial<LocalRuntimeOptions> = {}): Promise<LocalRuntime> {
  const runtime = await startLocalRuntime({
    stateDir: temporaryFolder(),
    bindings: { API_TOKEN: "admin" },
    ...options,
  });
  onTestFinished(() => runtime.close());
  return runtime;
}
const answers = async ({ url }: LocalRuntime) => (await fetch(`${url}/healthz`)).status === 200;

test("runs the Worker on the port wished for, and on another when that is taken", async () => {
  const port = await freePort();
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(port, "127.0.0.1", done));
  const elsewhere = await start({ port });
  expect(elsewhere.url).not.toBe(`http://127.0.0.1:${port}`);
  expect(await answers(elsewhere)).toBe(true);
  await new Promise((done) => taken.close(done));
  const there = await start({ port });
  expect(there.url).toBe(`http://127.0.0.1:${port}`);
  expect(await answers(there)).toBe(true);
});

test("starts workerd again at the same address when it dies", async () => {
  const runtime = await start();
  const pid = runtime.workerdPid();
  if (pid === undefined) throw new Error("no workerd");
  process.kill(pid, "SIGKILL");
  await vi.waitFor(async () => expect(await answers(runtime)).toBe(true), { timeout: 10_000 });
  expect(runtime.workerdPid()).not.toBe(pid);
});

test("leaves signals to a caller who wants to close by itself", async () => {
  const before = process.listeners("SIGTERM");
  await start({ exitOnSignal: false });
  expect(process.listeners("SIGTERM")).toEqual(before);
});
