import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { boolean, type infer as Infer, literal, nullable, number, object, string } from "zod";
import { Failure } from "./failure.ts";
import type { StateFolder } from "./state-folder.ts";

const FILE = "instance.json";
const WATCH_MS = 250;

const Ready = object({
  url: string(),
  githubUrl: string(),
  /** True when `githubUrl` is the emulated GitHub of this machine. */
  emulated: boolean(),
  /** Whether a real model does the tasks. */
  model: boolean().default(false),
  repository: string(),
  project: string(),
  account: string(),
  conversation: string(),
});
/** What a running CodeSpar tells the next one started on the same state folder. */
export type ReadyInstance = Infer<typeof Ready>;

const InstanceRecord = object({
  version: literal(1),
  pid: number().int().positive(),
  /** When the kernel started that process, so that a reused pid is not taken for it; null where unknown. */
  startTime: nullable(string()),
  /** null while others cannot join it: it starts, ends, or is there for one message only. */
  ready: nullable(Ready),
});
type InstanceRecord = Infer<typeof InstanceRecord>;

export type Instance =
  | { mine: true; publish(ready: ReadyInstance): void; withdraw(): void; release(): void }
  | { mine: false; pid: number; ready: ReadyInstance };

/** Fields 3 and 22 of /proc/PID/stat (proc(5)); null where there is no /proc. The name in field 2 may hold spaces. */
function kernelRecord(pid: number): { state: string; startTime: string | null } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", startTime: fields[19] ?? null };
  } catch {
    return null;
  }
}

function isAlive({ pid, startTime }: InstanceRecord): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return false;
  }
  const found = kernelRecord(pid);
  // One whose parent has not asked for its exit status yet is still listed.
  if (found !== null && /^[ZXx]$/.test(found.state)) return false;
  return startTime === null || found?.startTime === startTime;
}

function runningRecord(folder: StateFolder): { pid: number; ready: ReadyInstance } | undefined {
  const record = folder.readJson(FILE, InstanceRecord);
  return record?.ready && isAlive(record) ? { pid: record.pid, ready: record.ready } : undefined;
}

/** The running CodeSpar of this state folder, if there is one that has told its address. */
export const runningInstance = (folder: StateFolder): ReadyInstance | undefined => runningRecord(folder)?.ready;

/** Aborts, with a `Failure` as its reason, when the CodeSpar that runs on the state folder now has ended. */
export function endOfInstance(folder: StateFolder): AbortSignal {
  const controller = new AbortController();
  const pid = runningRecord(folder)?.pid;
  const isThere = (): boolean => {
    try {
      return pid !== undefined && runningRecord(folder)?.pid === pid;
    } catch {
      return false; // the folder is gone, or no longer a CodeSpar's
    }
  };
  const timer = setInterval(() => {
    if (isThere()) return;
    clearInterval(timer);
    controller.abort(new Failure("The CodeSpar that ran here has ended. Start it again with `npm start`."));
  }, WATCH_MS);
  timer.unref();
  return controller.signal;
}

/**
 * Makes this process the one that runs on the state folder, or finds the one that does. One that cannot be joined
 * now is waited for, `waitMs` at most; `onWait` is told its pid, once, when that takes a moment.
 */
export async function claimInstance(
  folder: StateFolder,
  { waitMs = 20_000, onWait }: { waitMs?: number; onWait?: (pid: number) => void } = {},
): Promise<Instance> {
  const startTime = kernelRecord(process.pid)?.startTime ?? null;
  const own: InstanceRecord = { version: 1, pid: process.pid, startTime, ready: null };
  const began = performance.now();
  let told = false;
  for (;;) {
    if (folder.createText(FILE, JSON.stringify(own))) {
      return {
        mine: true,
        publish: (ready) => folder.writeJson(FILE, { ...own, ready }),
        withdraw: () => folder.writeJson(FILE, own),
        release: () => folder.remove(FILE),
      };
    }
    const text = folder.readText(FILE);
    if (text === undefined) continue;
    const other = folder.parse(FILE, text, InstanceRecord);
    if (!isAlive(other)) {
      folder.removeIfStill(FILE, text);
      continue;
    }
    if (other.ready) return { mine: false, pid: other.pid, ready: other.ready };
    const waited = performance.now() - began;
    if (waited > waitMs) {
      throw new Failure(
        `Another CodeSpar (process ${other.pid}) is busy on ${folder.path}. Wait for its end, end it with \`kill ${other.pid}\`, or set CODESPAR_STATE_DIR to another folder.`,
      );
    }
    if (waited > 3000 && !told) {
      told = true;
      onWait?.(other.pid);
    }
    await sleep(100);
  }
}
