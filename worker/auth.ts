import { createMiddleware } from "hono/factory";
import type { Env } from "./env.ts";
import { errorBody } from "./errors.ts";
import { type TerminalAccount, readTerminalToken, sameSecret } from "./tokens.ts";

export type Caller = { kind: "administrator" } | ({ kind: "terminal" } & TerminalAccount);

export type ApiEnv = { Bindings: Env; Variables: { caller: Caller } };

function callerOf(header: string | undefined, secret: string): Caller | null {
  const token = /^Bearer ([\x21-\x7e]{1,2000})$/i.exec(header ?? "")?.[1];
  if (token === undefined) return null;
  if (sameSecret(token, secret)) return { kind: "administrator" };
  const account = readTerminalToken(token, secret);
  return account && { kind: "terminal", ...account };
}

/** Lets through who has a good bearer token. Without a configured one nobody gets in. */
export const authenticated = createMiddleware<ApiEnv>(async (c, next) => {
  const secret = c.env.API_TOKEN;
  if (!secret)
    return c.json(
      errorBody("not_configured", "This CodeSpar has no API token yet. Set one: `wrangler secret put API_TOKEN`."),
      503,
    );
  const caller = callerOf(c.req.header("authorization"), secret);
  if (!caller) {
    c.header("www-authenticate", "Bearer");
    return c.json(errorBody("unauthorized", "Give a valid token in the header `Authorization: Bearer …`."), 401);
  }
  c.set("caller", caller);
  return next();
});

/** After `authenticated`: only the administrator. */
export const administratorOnly = createMiddleware<ApiEnv>(async (c, next) => {
  if (c.get("caller").kind === "administrator") return next();
  return c.json(errorBody("forbidden", "This needs the administrator's token."), 403);
});
