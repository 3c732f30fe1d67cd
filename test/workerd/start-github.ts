import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { type IncomingMessage, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { json } from "node:stream/consumers";
import type { TestProject } from "vitest/node";
import { startGitHubEmulator } from "#emulators/github/emulator.ts";
import type { FaultEffect } from "#emulators/github/faults.ts";

declare module "vitest" {
  interface ProvidedContext {
    gitHubUrl: string;
    gitHubControlUrl: string;
  }
}

/** What tests inside workerd can ask of the emulator that runs out here. */
export type Controls = {
  "/create": { repository: string; files: Record<string, string> };
  /** `path` is the source of a regular expression; without `times` it befalls every such request. */
  "/fault": { method?: string; path: string; times?: number; effect: FaultEffect };
  /** Requests for the repository wait until it is released. */
  "/hold": { repository: string };
  "/release": { repository: string };
  /** Answers the requests that were no GET, as `POST /repos/… 201`. */
  "/writes": { repository: string };
  /** Answers how many requests wait. */
  "/held": { repository: string };
};

/** One GitHub for all tests inside workerd, with a door for them to arrange it. They share it, so each uses repositories of its own. */
export default async function startGitHub(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), "codespar-workerd-"));
  const emulator = await startGitHubEmulator({
    stateDir: join(directory, "state"),
    port: 0,
    tokens: { "write-token": { login: "codespar-bot", permissions: "write" } },
  });

  const writes: { path: string; line: string }[] = [];
  const gates = new Map<string, { opened: Promise<void>; open: () => void; waiting: number }>();
  const repositoryOf = (path: string): string => path.split("/").slice(2, 4).join("/");
  emulator.hooks.onRequest = async ({ path }) => {
    const gate = gates.get(repositoryOf(path));
    if (!gate) return;
    gate.waiting += 1;
    await gate.opened;
    gate.waiting -= 1;
  };
  emulator.hooks.onResponse = ({ method, path, status }) => {
    if (method !== "GET") writes.push({ path, line: `${method} ${path} ${status}` });
  };

  const controls: { [Path in keyof Controls]: (given: Controls[Path]) => unknown } = {
    async "/create"({ repository, files }) {
      const from = await mkdtemp(join(directory, "files-"));
      for (const [path, content] of Object.entries(files)) {
        await mkdir(dirname(join(from, path)), { recursive: true });
        await writeFile(join(from, path), content);
      }
      const [owner = "", name = ""] = repository.split("/");
      await emulator.create(owner, name, { fromDirectory: from });
    },
    "/fault"({ method, path, times, effect }) {
      const match = { path: new RegExp(path), ...(method === undefined ? {} : { method }) };
      emulator.faults.add({ match, effect, ...(times === undefined ? {} : { times }) });
    },
    "/hold"({ repository }) {
      const { promise, resolve } = Promise.withResolvers<void>();
      gates.set(repository, { opened: promise, open: resolve, waiting: 0 });
    },
    "/release"({ repository }) {
      gates.get(repository)?.open();
      gates.delete(repository);
    },
    "/writes": ({ repository }) =>
      writes.filter(({ path }) => repositoryOf(path) === repository).map(({ line }) => line),
    "/held": ({ repository }) => gates.get(repository)?.waiting ?? 0,
  };
  const answer = async (request: IncomingMessage): Promise<unknown> => {
    const control = controls[(request.url ?? "") as keyof Controls] as (given: unknown) => unknown;
    return (await control(await json(request))) ?? null;
  };
  const control = createServer((request, response) => {
    answer(request).then(
      (body) => response.end(JSON.stringify(body)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((listening) => control.listen(0, "127.0.0.1", listening));

  project.provide("gitHubUrl", emulator.url);
  project.provide("gitHubControlUrl", `http://127.0.0.1:${(control.address() as AddressInfo).port}`);
  return async () => {
    for (const gate of gates.values()) gate.open();
    control.closeAllConnections();
    control.close();
    await emulator.close();
    await rm(directory, { recursive: true, force: true });
  };
}
