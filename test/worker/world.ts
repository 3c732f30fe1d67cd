import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, vi } from "vitest";
import { parseTerminalMessage } from "#channels/terminal.ts";
import type { AuditEntry } from "#core/audit.ts";
import type { Role } from "#core/permissions.ts";
import { toPlainText } from "#core/response.ts";
import type { AuditSource, MessageReceiver } from "#core/rpc.ts";
import type { TaskSpec } from "#core/task.ts";
import type { TerminalMessage } from "#core/terminal-protocol.ts";
import type { Controls } from "../workerd/start-github.ts";

/** Nothing is shared between tests: each has names of its own. */
export const unique = (prefix: string): string => `${prefix}-${crypto.randomUUID().slice(0, 8)}`;

/** Waits for something to become true, for at most twenty seconds. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: 20_000, interval: 25 });

/** Arranges, or looks into, the GitHub that runs outside. */
export async function gitHub<Path extends keyof Controls>(path: Path, given: Controls[Path]): Promise<any> {
  const response = await fetch(env.GITHUB_CONTROL_URL + path, { method: "POST", body: JSON.stringify(given) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

export async function newRepository(
  files: Record<string, string> = { "README.md": "# Shop\n", "src/login.ts": "export const timeout = 5;\n" },
): Promise<string> {
  const repository = `acme/${unique("shop")}`;
  await gitHub("/create", { repository, files });
  return repository;
}

/** One request to the emulated GitHub's own API. */
export async function gitHubApi(route: string, body?: unknown): Promise<any> {
  const [method = "GET", path = ""] = route.split(" ");
  const response = await fetch(env.GITHUB_API_URL + path, {
    method,
    headers: { authorization: "token write-token", "user-agent": "tests" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${route}: ${response.status} ${await response.text()}`);
  return response.status === 204 ? null : response.json();
}

/** Opens a pull request that writes these files, and gives its number. */
export async function openPullRequest(repository: string, files: Record<string, string>): Promise<number> {
  const branch = unique("change");
  const head = await gitHubApi(`GET /repos/${repository}/commits/heads%2Fmain`);
  const entries = Object.entries(files).map(([path, content]) => ({ path, mode: "100644", type: "blob", content }));
  const tree = await gitHubApi(`POST /repos/${repository}/git/trees`, {
    base_tree: head.commit.tree.sha,
    tree: entries,
  });
  const author = { name: "Bo", email: "bo@example.com", date: "2026-01-02T03:04:05Z" };
  const commit = await gitHubApi(`POST /repos/${repository}/git/commits`, {
    message: "Change",
    tree: tree.sha,
    parents: [head.sha],
    author,
  });
  await gitHubApi(`POST /repos/${repository}/git/refs`, { ref: `refs/heads/${branch}`, sha: commit.sha });
  const pull = await gitHubApi(`POST /repos/${repository}/pulls`, {
    title: "A change",
    head: branch,
    base: "main",
    body: "",
  });
  return pull.number;
}

export type Person = { account: string; name: string; conversation: string };
export type World = Awaited<ReturnType<typeof newWorld>>;

/** The conversation's platform: what it keeps for a person who is not connected. */
export const gatewayOf = ({ account, conversation }: Person) =>
  env.TERMINAL_GATEWAY.getByName(`${account}:${conversation}`);

export const keptFor = (person: Person): Promise<TerminalMessage[]> =>
  runInDurableObject(gatewayOf(person), (_, state) =>
    [...state.storage.kv.list<{ message: TerminalMessage }>({ prefix: "kept:" })].map(([, { message }]) => message),
  );

export const messageOf = (person: Person, text: string, id: string = crypto.randomUUID()) =>
  parseTerminalMessage({ id, text }, person, Date.now());

/** The kept final reply to a delivery, once it is there. */
export const finalReply = (person: Person, id: string): Promise<TerminalMessage> =>
  eventually(async () => {
    const found = (await keptFor(person)).find(({ inReplyTo, kind }) => inReplyTo === id && kind === "final");
    if (!found) throw new Error(`no final reply to ${id} yet`);
    return found;
  });

async function entriesOf(source: AuditSource): Promise<(AuditEntry & { hash: string })[]> {
  const { rows } = await source.auditPage(1, 10_000);
  return rows.map(({ text, hash }) => ({ ...(JSON.parse(text) as AuditEntry), hash }));
}

/** Runs inside an agent's own object. (Its stub's full type is too much for the compiler.) */
export const inside = <Agent, Result>(
  agent: unknown,
  run: (instance: Agent, state: DurableObjectState) => Result | Promise<Result>,
): Promise<Result> =>
  runInDurableObject(agent as DurableObjectStub, (instance: unknown, state: DurableObjectState) =>
    run(instance as Agent, state),
  );

/** Rows of an agent's own database. */
export const rowsOf = <Row extends Record<string, SqlStorageValue>>(
  agent: unknown,
  query: string,
  ...values: SqlStorageValue[]
): Promise<Row[]> => inside(agent, (_, state) => state.storage.sql.exec<Row>(query, ...values).toArray());

/**
 * An organisation of its own with one project, and its owner at a terminal linked to it. Its repository takes a moment to
 * make: `onGitHub` false is for tests that do not need it.
 */
export async function newWorld({ onGitHub = true } = {}) {
  const organisation = unique("org");
  const repository = onGitHub ? await newRepository() : `acme/${unique("shop")}`;
  const [owner = "", name = ""] = repository.split("/");
  // A stub is of no use any more once its object has crashed: a new one each time.
  const coordinatorOf = () => env.COORDINATOR.getByName(organisation);
  const projectOf = () => env.PROJECT_AGENT.getByName(`${organisation}/${name}`);
  const anna: Person = { account: unique("anna"), name: "Anna", conversation: "main" };

  const link = async (person: Person) => {
    await coordinatorOf().setup({
      account: person.account,
      name: person.name,
      conversation: person.conversation,
      project: { name, repository: { owner, name } },
    });
    return person;
  };
  await link(anna);

  const world = {
    organisation,
    repository,
    name,
    get coordinator() {
      return coordinatorOf();
    },
    get project() {
      return projectOf();
    },
    /** The owner. */
    anna,
    link,
    /** The same for many conversations, as if each had been linked before; the edge does not learn of it. */
    linkMany: (people: Person[]) =>
      inside(coordinatorOf(), (_, state) => {
        for (const { account, conversation } of people) {
          const at = `${account}:${conversation}`;
          const key = JSON.stringify(["terminal", "terminal", at]);
          state.storage.sql.exec(
            "insert into conversations values (?, 'terminal', 'terminal', ?, ?, 1)",
            key,
            at,
            name,
          );
        }
      }),
    /** Someone else at a terminal of their own, linked to the project, with a role. */
    async person(role: Role, conversation = "main"): Promise<Person> {
      const person = await link({ account: unique(role.replace("_", "-")), name: role, conversation });
      await world.give(person, role);
      return person;
    },
    standing: (person: Person) => coordinatorOf().standing(messageOf(person, "")),
    /** Gives a role as if an owner had, here or (with "") in the whole organisation. */
    async give(person: Person, role: Role, where = ""): Promise<void> {
      const { identity } = await world.standing(person);
      await rowsOf(
        coordinatorOf(),
        "insert or replace into roles (identity, project, role) values (?, ?, ?)",
        identity,
        where,
        role,
      );
    },
    /** Sends a line to the project's agent (or another), and waits for its one final reply. */
    async ask(
      person: Person,
      text: string,
      {
        to = projectOf() as unknown as MessageReceiver,
        id = crypto.randomUUID() as string,
      }: { to?: MessageReceiver; id?: string } = {},
    ) {
      await to.receive(messageOf(person, text, id));
      const reply = await finalReply(person, id);
      return { id, ok: reply.ok, words: toPlainText(reply.blocks), blocks: reply.blocks };
    },
    entries: () => entriesOf(projectOf()),
    organisationEntries: () => entriesOf(coordinatorOf()),
    /** Every final reply that any agent of the organisation has for a delivery. */
    async finals(id: string, agents: unknown[] = [coordinatorOf(), projectOf()]) {
      const found = await Promise.all(
        agents.map((agent) => rowsOf(agent, "select id, ok from outbox where in_reply_to = ? and kind = 'final'", id)),
      );
      return found.flat();
    },
    writes: (): Promise<string[]> => gitHub("/writes", { repository }),
    tasks: () =>
      rowsOf<{
        id: string;
        status: string;
        attempt: number;
        outcome: string | null;
        progress: string;
        pull_request_url: string | null;
      }>(projectOf(), "select * from tasks order by created_at, decision_sequence"),
    state: async (): Promise<string | undefined> =>
      (await rowsOf<{ state: string }>(projectOf(), "select state from agents where id = ?", name))[0]?.state,
    specOf: async (taskId: string): Promise<TaskSpec> => {
      const [row] = await rowsOf<{ spec: string }>(projectOf(), "select spec from tasks where id = ?", taskId);
      return JSON.parse(row?.spec ?? "null") as TaskSpec;
    },
    /** Starts a task that stays where it is, because GitHub does not answer until it is released. */
    async begin(person: Person, text: string): Promise<{ id: string; taskId: string }> {
      const id: string = crypto.randomUUID();
      const before = new Set((await world.tasks()).map((task) => task.id));
      await projectOf().receive(messageOf(person, text, id));
      const taskId = await eventually(async () => {
        const added = (await world.tasks()).find((task) => !before.has(task.id));
        expect(added).toBeDefined();
        return added?.id ?? "";
      });
      return { id, taskId };
    },
    hold: () => gitHub("/hold", { repository }),
    release: () => gitHub("/release", { repository }),
  };
  return world;
}
