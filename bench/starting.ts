import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Measure } from "./core.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** The last line of the first screen: what is typed from here on is read. */
const READY = "Ctrl-D leaves";
const GIVE_UP_MS = 60_000;

/** Seconds from `npm start` until its first screen is there. Ends what it started. */
function secondsToStart(stateFolder: string): Promise<number> {
  const start = performance.now();
  const env = { ...process.env, CODESPAR_STATE_DIR: stateFolder };
  // A process group of its own, as a shell would make it, so that it can be ended with all it started.
  const child = spawn("npm", ["start"], { cwd: ROOT, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  return new Promise((resolve, reject) => {
    let printed = "";
    let seconds: number | undefined;
    const end = (): void => {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
    };
    const timer = setTimeout(end, GIVE_UP_MS);
    const take = (part: Buffer): void => {
      printed += String(part);
      if (seconds !== undefined || !printed.includes(READY)) return;
      seconds = (performance.now() - start) / 1000;
      end();
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.once("error", reject);
    child.once("close", () => {
      clearTimeout(timer);
      if (seconds === undefined) reject(new Error(`\`npm start\` did not come up:\n${printed}`));
      else resolve(seconds);
    });
  });
}

/** From `npm start` to the first screen, on a new state folder and again on the same. */
export async function startingBench(folder: string): Promise<Measure[]> {
  const stateFolder = join(folder, "start");
  const first = await secondsToStart(stateFolder);
  const again = await secondsToStart(stateFolder);
  const measure = (name: string, value: number): Measure => ({
    name,
    value,
    unit: "s",
    goal: "< 5",
    note: "with npm, to the end of the first screen",
  });
  return [measure("npm start, the first time", first), measure("npm start, again", again)];
}
