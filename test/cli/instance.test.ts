import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test, vi } from "vitest";
import { claimInstance, endOfInstance, type ReadyInstance, runningInstance } from "#cli/instance.ts";
import { openStateFolder } from "#cli/state-folder.ts";
import { temporaryFolder } from "./run-cli.ts";

const ready: ReadyInstance = {
  url: "http://127.0.0.1:1",
  githubUrl: "http://127.0.0.1:2",
  emulated: true,
  model: false,
  repository: "local/sample-project",
  project: "sample-project",
  account: "anna",
  conversation: "sample-project",
};
const deadPid = () => spawnSync(process.execPath, ["-e", ""]).pid;

test("the first claims the folder, the second finds it", async () => {
  const folder = openStateFolder(temporaryFolder());
  const first = await claimInstance(folder);
  if (!first.mine) throw new Error("not claimed");
  expect(runningInstance(folder)).toBeUndefined();
  first.publish(ready);
  expect(await claimInstance(folder)).toEqual({ mine: false, pid: process.pid, ready });
  expect(runningInstance(folder)).toEqual(ready);
  first.release();
  expect(runningInstance(folder)).toBeUndefined();
  expect((await claimInstance(folder)).mine).toBe(true);
});

test("takes the place of one whose process is gone", async () => {
  const folder = openStateFolder(temporaryFolder());
  folder.writeJson("instance.json", { version: 1, pid: deadPid(), startTime: null, ready });
  expect(runningInstance(folder)).toBeUndefined();
  expect((await claimInstance(folder)).mine).toBe(true);
});

test.runIf(process.platform === "linux")("does not take another process with a reused pid for it", async () => {
  const folder = openStateFolder(temporaryFolder());
  folder.writeJson("instance.json", { version: 1, pid: process.pid, startTime: "1", ready });
  expect((await claimInstance(folder)).mine).toBe(true);
});

test.runIf(process.platform === "linux")("takes the place of one that is a zombie", async () => {
  const folder = openStateFolder(temporaryFolder());
  // The shell becomes a program that never asks how its child has ended.
  const parent = spawn("sh", ["-c", "true & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => void parent.kill("SIGKILL"));
  const pid = Number((await once(parent.stdout, "data"))[0]);
  folder.writeJson("instance.json", { version: 1, pid, startTime: null, ready });
  await vi.waitFor(() => expect(runningInstance(folder)).toBeUndefined());
  expect(() => process.kill(pid, 0)).not.toThrow();
  expect((await claimInstance(folder)).mine).toBe(true);
});

test("says when the one that runs has gone, but not before", async () => {
  const folder = openStateFolder(temporaryFolder());
  const first = await claimInstance(folder);
  if (!first.mine) throw new Error("not claimed");
  first.publish(ready);
  const ended = endOfInstance(folder);
  expect(ended.aborted).toBe(false);
  first.withdraw();
  await vi.waitFor(() => expect(ended.aborted).toBe(true));
  expect(String(ended.reason)).toContain("Start it again with `npm start`");
});

test("waits for one that is starting, and says who it is when that takes too long", async () => {
  const folder = openStateFolder(temporaryFolder());
  await claimInstance(folder);
  await expect(claimInstance(folder, { waitMs: 0 })).rejects.toThrow(`kill ${process.pid}`);
});

test("one that is ending is not joined, and its folder is free when it has", async () => {
  const folder = openStateFolder(temporaryFolder());
  const first = await claimInstance(folder);
  if (!first.mine) throw new Error("not claimed");
  first.publish(ready);
  first.withdraw();
  expect(runningInstance(folder)).toBeUndefined();
  const second = claimInstance(folder);
  first.release();
  expect((await second).mine).toBe(true);
});

test("says that the file is damaged", async () => {
  const folder = openStateFolder(temporaryFolder());
  folder.writeText("instance.json", "?");
  await expect(claimInstance(folder)).rejects.toThrow("instance.json is damaged");
});
