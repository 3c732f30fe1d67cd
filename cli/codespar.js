#!/usr/bin/env node
// Plain JavaScript on purpose: whatever Node is installed can run it. CodeSpar itself needs Node 24
// (it runs TypeScript directly), which `npm install` puts into node_modules.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("main.ts", import.meta.url));
const bundledNode = fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url));

if (Number(process.versions.node.split(".")[0]) >= 24) {
  await import("./main.ts");
} else if (existsSync(bundledNode)) {
  const child = spawn(bundledNode, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  // A terminal sends its signals to both; those sent to this process alone are passed on.
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  process.on("SIGINT", () => {});
  child.on("error", (error) => {
    console.error(`${bundledNode} could not be run (${error.message}). Run \`npm install\` again.`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 1)));
} else {
  console.error(
    `CodeSpar needs Node 24, which is not installed here yet: run \`npm install\` in ${fileURLToPath(new URL("..", import.meta.url))}`,
  );
  process.exit(1);
}
