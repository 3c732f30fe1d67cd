import { startGitHubEmulator } from "#emulators/github/emulator.ts";
import { TOKENS } from "./github-world.ts";

// An emulator in a process of its own, to be killed. Says where it listens, and then when it reaches the given moment
// of the given endpoint, where it stays.
const [stateDir = "", mirrorOf = "", moment = "", route = ""] = process.argv.slice(2);
const emulator = await startGitHubEmulator({ stateDir, port: 0, tokens: TOKENS });
await emulator.create("me", "shop", { mirrorOf });
const stop = async (seen: { method: string; path: string }): Promise<void> => {
  if (`${seen.method} ${seen.path}` !== route) return;
  process.stdout.write("reached\n");
  await new Promise(() => undefined);
};
if (moment === "before") emulator.hooks.onRequest = stop;
else emulator.hooks.onResponse = stop;
process.stdout.write(`${emulator.url}\n`);
