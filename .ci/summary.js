// Reads Vitest's JSON report and says how it went. Exits with 0 only if tests ran, all of them passed, none was skipped,
// and what came before (the second argument, an exit code) succeeded.
import { existsSync, readFileSync } from "node:fs";

const [, , file, before] = process.argv;
if (file === undefined || !existsSync(file)) {
  console.log("There is no report of the tests: none ran.");
  process.exit(1);
}

/** @type {{ testResults: { name: string, status: string, message?: string, assertionResults: { fullName: string, status: string }[] }[] }} */
const report = JSON.parse(readFileSync(file, "utf8"));
const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
const count = (/** @type {string} */ status) => tests.filter((test) => test.status === status).length;

// A file that could not be loaded has no tests to fail, and is one failure itself.
const broken = report.testResults.filter(
  ({ status, assertionResults }) => status === "failed" && !assertionResults.some((test) => test.status === "failed"),
);
const passed = count("passed");
const failed = count("failed") + broken.length;
const others = tests.filter(({ status }) => status !== "passed" && status !== "failed");

for (const { name, message } of broken) console.log(`Could not be run: ${name}\n${message ?? ""}`);
for (const { fullName, status } of tests.filter((test) => test.status === "failed"))
  console.log(`${status}: ${fullName}`);
for (const { fullName, status } of others) console.log(`Not run (${status}): ${fullName}`);
if (tests.length === 0) console.log("No test ran.");
if (before !== "0") console.log("A step before this one failed: see above.");
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = before === "0" && passed > 0 && failed === 0 && others.length === 0 ? 0 : 1;
