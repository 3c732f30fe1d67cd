import type { output, ZodType } from "zod";
import type { FaultEffect } from "./faults.ts";
import type { HostedRepository } from "./hosted-repository.ts";

export type Caller = { login: string; permissions: "read" | "write" };

export type Reply = { status: number; body?: unknown; headers?: Record<string, string> };

/** An expected refusal: thrown by handlers, answered as it is. */
export class Refusal extends Error {
  readonly reply: Reply;
  constructor(status: number, message: string, errors?: unknown[]) {
    super(message);
    this.reply = {
      status,
      body: {
        message,
        ...(errors ? { errors } : {}),
        documentation_url: "https://docs.github.com/rest",
        status: String(status),
      },
    };
  }
}

export const notFound = (): Refusal => new Refusal(404, "Not Found");
export const emptyRepository = (): Refusal => new Refusal(409, "Git Repository is empty.");
export const invalid = (resource: string, field: string, code = "invalid"): Refusal =>
  new Refusal(422, "Validation Failed", [{ resource, field, code }]);
export const refuse = (resource: string, message: string): Refusal =>
  new Refusal(422, "Validation Failed", [{ resource, code: "custom", message }]);

export type Call = {
  /** Root of this server, without a slash at the end. */
  baseUrl: string;
  caller: Caller;
  params: Record<string, string>;
  query: URLSearchParams;
  body: unknown;
  now: string;
  effects: readonly FaultEffect[];
  repositories(): readonly HostedRepository[];
};
export type RepositoryCall = Call & { repository: HostedRepository };

/** `path` is the template of GitHub's OpenAPI description. */
export type Endpoint =
  | { method: string; path: string; scope: "account"; handle(call: Call): Promise<Reply> }
  | { method: string; path: string; scope: "repository"; handle(call: RepositoryCall): Promise<Reply> };

export function endpoint(route: string, handle: (call: RepositoryCall) => Promise<Reply>): Endpoint {
  const [method = "", path = ""] = route.split(" ");
  return { method, path: `/repos/{owner}/{repo}${path}`, scope: "repository", handle };
}

export function accountEndpoint(route: string, handle: (call: Call) => Promise<Reply>): Endpoint {
  const [method = "", path = ""] = route.split(" ");
  return { method, path, scope: "account", handle };
}

/** These may hold slashes, as branches and paths do. */
const MANY_PARTS = new Set(["ref", "branch", "path"]);

export type Route = { endpoint: Endpoint; match: (path: string) => Record<string, string> | null };

/** Compiles endpoints; those with more fixed parts come first, so that `…/commits/{ref}/status` wins over `…/commits/{ref}`. */
export function compileRoutes(endpoints: readonly Endpoint[]): Route[] {
  const fixed = (path: string) => path.split("/").filter((part) => part !== "" && !part.startsWith("{")).length;
  return [...endpoints]
    .toSorted((one, other) => fixed(other.path) - fixed(one.path))
    .map((entry) => {
      const names: string[] = [];
      const pattern = entry.path.replace(/\{(\w+)\}/g, (_, name: string) => {
        names.push(name);
        return MANY_PARTS.has(name) ? "(.+)" : "([^/]+)";
      });
      const expression = new RegExp(`^${pattern}$`);
      return {
        endpoint: entry,
        match(path) {
          const found = expression.exec(path);
          if (found === null) return null;
          try {
            return Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(found[index + 1] ?? "")]));
          } catch {
            return null;
          }
        },
      };
    });
}

/** The body in the form wanted, or a 422 that names the field, as GitHub does. */
export function parseBody<T extends ZodType>(schema: T, body: unknown): output<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join("/") ?? "";
  const given = issue?.path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
    body,
  );
  const problem =
    given === undefined && field !== ""
      ? `"${field}" wasn't supplied.`
      : `For '${field || "body"}', ${issue?.message ?? "it is invalid"}.`;
  throw new Refusal(422, `Invalid request.\n\n${problem}`);
}

/** One page of a list, with GitHub's Link header when there is more. */
export function paginate<T>(
  call: Call,
  items: readonly T[],
  path: string,
): { items: T[]; headers: Record<string, string> } {
  const number = (name: string, fallback: number, most: number) => {
    const value = Number.parseInt(call.query.get(name) ?? "", 10);
    return Number.isFinite(value) && value > 0 ? Math.min(value, most) : fallback;
  };
  const size = number("per_page", 30, 100);
  const page = number("page", 1, 1_000_000);
  const last = Math.max(1, Math.ceil(items.length / size));
  const link = (to: number, rel: string) => {
    const query = new URLSearchParams(call.query);
    query.set("page", String(to));
    return `<${call.baseUrl}${path}?${query.toString()}>; rel="${rel}"`;
  };
  const links = [
    ...(page > 1 ? [link(Math.min(page - 1, last), "prev"), link(1, "first")] : []),
    ...(page < last ? [link(page + 1, "next"), link(last, "last")] : []),
  ];
  return {
    items: items.slice((page - 1) * size, page * size),
    headers: links.length > 0 ? { link: links.join(", ") } : {},
  };
}
