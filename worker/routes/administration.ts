import { Hono } from "hono";
import { object, string } from "zod";
import { exportLine } from "#core/audit-export.ts";
import { RepositoryName, RepositoryOwner } from "#core/command.ts";
import { NotFoundError } from "#core/errors.ts";
import { DEFAULT_ORGANISATION, ProjectName } from "#core/message.ts";
import type { AuditSource } from "#core/rpc.ts";
import { repositoryFullName } from "#core/task.ts";
import { type ApiEnv, administratorOnly } from "../auth.ts";
import { AccountName, TerminalAccount, issueTerminalToken } from "../tokens.ts";
import { jsonBody } from "./input.ts";

const PAGE = 500;

const Repository = string()
  .transform((full) => full.split("/"))
  .pipe(string().array().length(2, "owner/name"))
  .transform(([owner, name]) => ({ owner: owner ?? "", name: name ?? "" }))
  .pipe(object({ owner: RepositoryOwner, name: RepositoryName }));

const Setup = object({
  account: AccountName,
  name: string().min(1).max(100),
  project: object({ name: ProjectName, repository: Repository }),
  conversation: string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,98}$/),
});

/** Writes a chain as NDJSON, page by page: an export is as long as the chain, memory is not. */
async function* exportLines(source: AuditSource): AsyncGenerator<string> {
  for (let from: number | null = 1; from !== null;) {
    const page = await source.auditPage(from, PAGE);
    if (page.rows.length > 0) yield page.rows.map((row) => `${exportLine(row)}\n`).join("");
    from = page.next;
  }
}

/** What whoever runs this CodeSpar may do, whatever their role in a project. */
export const administration = new Hono<ApiEnv>()
  .use(administratorOnly)
  .post("/setup", async (c) =>
    c.json(await c.env.COORDINATOR.getByName(DEFAULT_ORGANISATION).setup(await jsonBody(c, Setup))),
  )
  .post("/tokens", async (c) =>
    c.json({ token: issueTerminalToken(await jsonBody(c, TerminalAccount), c.env.API_TOKEN ?? "") }),
  )
  .post("/claim-codes", async (c) => c.json(await c.env.COORDINATOR.getByName(DEFAULT_ORGANISATION).createClaimCode()))
  .get("/projects", async (c) => {
    const projects = await c.env.COORDINATOR.getByName(DEFAULT_ORGANISATION).projects();
    return c.json({
      projects: projects.map(({ name, repository }) => ({ name, repository: repositoryFullName(repository) })),
    });
  })
  .get("/projects/:project/audit", async (c) => {
    const name = c.req.param("project");
    const projects = await c.env.COORDINATOR.getByName(DEFAULT_ORGANISATION).projects();
    if (!projects.some((project) => project.name === name)) throw new NotFoundError("There is no such project.");
    return ndjson(c.env.PROJECT_AGENT.getByName(`${DEFAULT_ORGANISATION}/${name}`));
  })
  .get("/organisation/audit", async (c) => ndjson(c.env.COORDINATOR.getByName(DEFAULT_ORGANISATION)));

function ndjson(source: AuditSource): Response {
  const lines = exportLines(source);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await lines.next();
      if (next.done) controller.close();
      else controller.enqueue(encoder.encode(next.value));
    },
  });
  return new Response(body, { headers: { "content-type": "application/x-ndjson" } });
}
