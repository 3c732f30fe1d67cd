import { type ChildProcess, spawn } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { basename } from "node:path";

// Reads until the pipe closes, which it does however the process at its other end ends.
const GUARD = 'read -r _; kill -KILL "$1" 2>/dev/null';

function guard(workerd: ChildProcess): void {
  // In a session of its own: what ends this process's group must not end the guard first.
  const shell = spawn("/bin/sh", ["-c", GUARD, "codespar-lifeline", String(workerd.pid)], {
    cwd: "/",
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  shell.on("error", () => {}); // no such shell: `endOrphans` is left
  shell.stdin.on("error", () => {});
  shell.unref();
  workerd.once("exit", () => shell.kill("SIGKILL")); // its pid may soon be somebody else's
}

let tied = false;

/**
 * From now on each workerd that this process starts dies with it, also by SIGKILL: alone it would go on working on tasks
 * without the GitHub it was given. Miniflare starts workerd, and again when it died, so Node is asked to tell of each.
 */
export function tieWorkerdToThisProcess(): void {
  if (tied) return;
  tied = true;
  subscribe("child_process", (message) => {
    const { process: child } = message as { process: ChildProcess };
    child.once("spawn", () => {
      if (/^workerd(?:\.exe)?$/.test(basename(child.spawnfile))) guard(child);
    });
  });
}
