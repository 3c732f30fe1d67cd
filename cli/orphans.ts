import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Set in the environment of each workerd: which process started it, and for which state folder. */
export const OWNER_VARIABLE = "CODESPAR_RUNTIME_OWNER";
export const ownerMark = (stateDir: string): string => `${process.pid}:${stateDir}`;

interface Workerd {
  pid: number;
  parent: number;
  owner: string | undefined;
}

/** The workerd processes of this machine; none where there is no /proc. */
function workerds(): Workerd[] {
  let pids: string[];
  try {
    pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
  return pids.flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const end = stat.lastIndexOf(")");
      if (stat.slice(stat.indexOf("(") + 1, end) !== "workerd") return [];
      const owner = readFileSync(`/proc/${name}/environ`, "utf8")
        .split("\0")
        .find((entry) => entry.startsWith(`${OWNER_VARIABLE}=`));
      const [, parent] = stat.slice(end + 2).split(" ");
      return [{ pid: Number(name), parent: Number(parent), owner: owner?.slice(OWNER_VARIABLE.length + 1) }];
    } catch {
      return []; // it has ended meanwhile, or is someone else's
    }
  });
}

/** The workerd this process runs for `stateDir`; undefined while it restarts, and where there is no /proc. */
export const workerdOf = (stateDir: string): number | undefined =>
  workerds().find(({ parent, owner }) => parent === process.pid && owner === ownerMark(stateDir))?.pid;

/**
 * Ends each workerd left behind on `stateDir` by a process that was killed, should it have outlived its parent all the
 * same: it keeps the port, and two of them must not write the same files.
 */
export async function endOrphans(stateDir: string): Promise<void> {
  const isOrphan = ({ parent, owner }: Workerd): boolean => {
    const [starter, ...rest] = owner?.split(":") ?? [];
    return rest.join(":") === stateDir && Number(starter) !== parent;
  };
  const orphans = () => workerds().filter(isOrphan);
  for (const { pid } of orphans()) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it has ended meanwhile
    }
  }
  for (let waited = 0; waited < 100 && orphans().length > 0; waited += 1) await sleep(20);
}
