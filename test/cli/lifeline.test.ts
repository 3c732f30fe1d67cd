import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import { temporaryFolder } from "./run-cli.ts";

const MODULE = fileURLToPath(new URL("../../cli/local-runtime.ts", import.meta.url));

/** A process that runs a Worker of its own, and tells its workerd's pid when it has it. */
async function startOwner() {
  const script = `
    import { startLocalRuntime } from ${JSON.stringify(MODULE)};
    const runtime = await startLocalRuntime({ stateDir: import.meta.dirname, bindings: { API_TOKEN: "admin" } });
    const tell = () => console.log(runtime.workerdPid() ?? "none");
    process.stdin.on("data", tell);
    tell();
  `;
  const file = join(temporaryFolder(), "owner.mjs");
  writeFileSync(file, script);
  const child = spawn(process.execPath, [file], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const next = async () => String((await once(child.stdout, "data"))[0]).trim();
  return { child, first: Number(await next()), ask: () => (child.stdin.write("?\n"), next()) };
}

/** The command lines of workerd and of the shell that guards it, as far as they run; a process that has ended has none. */
const processesAbout = (pid: number): string[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const line = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim();
        return line !== "" && (name === String(pid) || line.endsWith(`codespar-lifeline ${pid}`)) ? [line] : [];
      } catch {
        return [];
      }
    });

test.runIf(process.platform === "linux")("workerd dies with its process, and nothing stays behind", async () => {
  const { child, first } = await startOwner();
  expect(processesAbout(first)).toHaveLength(2);
  child.kill("SIGKILL");
  await vi.waitFor(() => expect(processesAbout(first)).toEqual([]), { timeout: 5000 });
});

test.runIf(process.platform === "linux")("so does one that was started again", async () => {
  const { child, first, ask } = await startOwner();
  process.kill(first, "SIGKILL");
  const second = await vi.waitFor(
    async () => {
      const answer = Number(await ask());
      if (!(answer > 0) || answer === first) throw new Error("It is not started again yet.");
      return answer;
    },
    { timeout: 10_000 },
  );
  expect(processesAbout(first)).toEqual([]);
  child.kill("SIGKILL");
  await vi.waitFor(() => expect(processesAbout(second)).toEqual([]), { timeout: 5000 });
});
