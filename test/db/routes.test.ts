import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { conversationKey } from "#core/message.ts";
import { copyConversation, copyProject, copyTask, copyWorkspace, writeCopies } from "#db/copies.ts";
import { createRouteLookup } from "#db/routes.ts";

const conversation = () => ({ workspace: "terminal", id: crypto.randomUUID(), thread: null });
const copy = (at: ReturnType<typeof conversation>, project: string | null, revision: number) =>
  writeCopies(env.DB, [
    copyConversation({ key: conversationKey("terminal", at), organisation: "acme", project, revision }),
  ]);

it("sends a conversation nobody linked to the default organisation's Coordinator", async () => {
  expect(await createRouteLookup(env.DB, () => 0)("terminal", conversation())).toEqual({
    organisation: "default",
    project: null,
  });
});

it("sends a linked conversation to its project, threads included", async () => {
  const at = conversation();
  await copy(at, "shop", 1);
  expect(await createRouteLookup(env.DB, () => 0)("terminal", { ...at, thread: "17" })).toEqual({
    organisation: "acme",
    project: "shop",
  });
});

it("tells conversations of one id on two channels apart", async () => {
  const at = conversation();
  await copy(at, "shop", 1);
  expect(await createRouteLookup(env.DB, () => 0)("slack", at)).toEqual({ organisation: "default", project: null });
});

it("keeps a route for five seconds, and then looks again", async () => {
  const at = conversation();
  let now = 0;
  const lookup = createRouteLookup(env.DB, () => now);
  await copy(at, "shop", 1);
  expect((await lookup("terminal", at)).project).toBe("shop");
  await copy(at, "billing", 2);
  now = 4999;
  expect((await lookup("terminal", at)).project).toBe("shop");
  now = 5000;
  expect((await lookup("terminal", at)).project).toBe("billing");
});

it("never lets an older copy of a link overwrite a newer one", async () => {
  const at = conversation();
  await copy(at, null, 3);
  await copy(at, "shop", 2);
  expect((await createRouteLookup(env.DB, () => 0)("terminal", at)).project).toBeNull();
});

it("leaves a workspace with the organisation that claimed it first", async () => {
  const workspace = crypto.randomUUID();
  await writeCopies(env.DB, [
    copyWorkspace({ channel: "slack", workspace, organisation: "first" }),
    copyWorkspace({ channel: "slack", workspace, organisation: "second" }),
  ]);
  expect(
    await env.DB.prepare("select organisation from workspaces where workspace = ?")
      .bind(workspace)
      .first("organisation"),
  ).toBe("first");
});

it("writes all copies of one call or none", async () => {
  const name = crypto.randomUUID();
  const broken = copyProject({
    organisation: "acme",
    name: null as unknown as string,
    repository: "acme/x",
    createdAt: 0,
  });
  await expect(
    writeCopies(env.DB, [copyProject({ organisation: "acme", name, repository: "acme/x", createdAt: 0 }), broken]),
  ).rejects.toThrow("NOT NULL");
  expect(await env.DB.prepare("select name from projects where name = ?").bind(name).first()).toBeNull();
});

it("copies a task twice as one row with its newest state", async () => {
  const id = crypto.randomUUID();
  const task = {
    organisation: "acme",
    project: "shop",
    id,
    instruction: "it's 🚀 שלום",
    requestedBy: "Anna",
    createdAt: 1,
  };
  await writeCopies(env.DB, [
    copyTask({ ...task, status: "running", outcome: null, pullRequestUrl: null, endedAt: null }),
  ]);
  await writeCopies(env.DB, [
    copyTask({ ...task, status: "ended", outcome: "completed", pullRequestUrl: "https://x", endedAt: 2 }),
  ]);
  const { results } = await env.DB.prepare("select * from tasks where id = ?").bind(id).all();
  expect(results).toMatchObject([
    { status: "ended", outcome: "completed", instruction: "it's 🚀 שלום", pull_request_url: "https://x", ended_at: 2 },
  ]);
});
