import { compileRoutes, notFound, Refusal, type Caller, type Endpoint, type Reply } from "./endpoint.ts";
import type { FaultEffect } from "./faults.ts";
import type { HostedRepository } from "./hosted-repository.ts";
import type { Repositories } from "./repositories.ts";
import { checkEndpoints } from "./routes-checks.ts";
import { gitEndpoints } from "./routes-git.ts";
import { pullEndpoints } from "./routes-pulls.ts";
import { repositoryEndpoints } from "./routes-repository.ts";

/** Everything served, with the paths of GitHub's OpenAPI description. */
export const endpoints: readonly Endpoint[] = [
  ...repositoryEndpoints,
  ...gitEndpoints,
  ...pullEndpoints,
  ...checkEndpoints,
];

export type ApiRequest = {
  method: string;
  url: URL;
  authorization: string | undefined;
  body: string;
  baseUrl: string;
  effects: readonly FaultEffect[];
  now: string;
};

type Api = {
  /** Whether a path is the API's and no page's. */
  serves(path: string): boolean;
  answer(request: ApiRequest): Promise<Reply>;
};

export function createApi(given: {
  repositories: Repositories;
  tokens: Record<string, Caller>;
  writes: Map<string, number>;
}): Api {
  const routes = compileRoutes(endpoints);

  function authenticate(authorization: string | undefined): Caller {
    if (authorization === undefined) throw new Refusal(401, "Requires authentication");
    const token = /^(?:bearer|token) (\S+)$/i.exec(authorization)?.[1] ?? "";
    const caller = Object.hasOwn(given.tokens, token) ? given.tokens[token] : undefined;
    if (caller === undefined) throw new Refusal(401, "Bad credentials");
    return caller;
  }

  async function respond(request: ApiRequest): Promise<Reply> {
    const caller = authenticate(request.authorization);
    const isWrite = request.method !== "GET";
    for (const { endpoint, match } of routes) {
      const params = endpoint.method === request.method ? match(request.url.pathname) : null;
      if (params === null) continue;
      const call = {
        baseUrl: request.baseUrl,
        caller,
        params,
        query: request.url.searchParams,
        body: undefined as unknown,
        now: request.now,
        effects: request.effects,
        repositories: () => given.repositories.list(),
      };
      if (endpoint.scope === "account") return endpoint.handle(call);
      const repository: HostedRepository | undefined = given.repositories.find(
        params["owner"] ?? "",
        params["repo"] ?? "",
      );
      if (repository === undefined) throw notFound();
      if (!isWrite) return endpoint.handle({ ...call, repository });
      if (caller.permissions !== "write") throw new Refusal(403, "Resource not accessible by personal access token");
      const body = parseJson(request.body);
      const reply = await repository.exclusively(() => endpoint.handle({ ...call, body, repository }));
      const name = `${endpoint.method} ${endpoint.path}`;
      given.writes.set(name, (given.writes.get(name) ?? 0) + 1);
      return reply;
    }
    throw notFound();
  }

  return {
    serves: (path) => /^\/(user|repos|search)(\/|$)/.test(path),
    async answer(request) {
      try {
        return await respond(request);
      } catch (error) {
        if (error instanceof Refusal) return error.reply;
        throw error;
      }
    },
  };
}

function parseJson(text: string): unknown {
  if (text === "") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal(400, "Problems parsing JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Refusal(400, "Body should be a JSON object");
  return value;
}
