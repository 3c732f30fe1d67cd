import { createHmac, timingSafeEqual } from "node:crypto";
import { type infer as Infer, object, string } from "zod";

const PREFIX = "ct1";
// The Workers types know it as `any` only.
const Bytes = Buffer as {
  from: (text: string, encoding?: "base64url") => { toString: (encoding: "base64url" | "utf8") => string };
};

/** An account name that can stand in a conversation's id. */
export const AccountName = string().regex(
  /^[A-Za-z0-9][A-Za-z0-9._@-]{0,98}$/,
  "letters, digits and . _ @ - (at most 99)",
);

export const TerminalAccount = object({ account: AccountName, name: string().min(1).max(100) });
export type TerminalAccount = Infer<typeof TerminalAccount>;

/** Whether two secrets are the same, in a time that does not depend on where they differ. */
export function sameSecret(given: string, expected: string): boolean {
  // Of equal length by construction, whatever was given.
  const digest = (value: string) => createHmac("sha256", "codespar").update(value).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

const signature = (payload: string, secret: string): string =>
  createHmac("sha256", secret).update(`${PREFIX}.${payload}`).digest("base64url");

/** A token that opens a terminal as one account, and nothing else. Ends when the administrator's token is changed. */
export function issueTerminalToken(account: TerminalAccount, secret: string): string {
  const payload = Bytes.from(JSON.stringify(account)).toString("base64url");
  return `${PREFIX}.${payload}.${signature(payload, secret)}`;
}

/** The account of a terminal token, or null when it is none of ours. */
export function readTerminalToken(token: string, secret: string): TerminalAccount | null {
  const [prefix, payload, signed, ...rest] = token.split(".");
  if (prefix !== PREFIX || !payload || !signed || rest.length > 0) return null;
  if (!sameSecret(signed, signature(payload, secret))) return null;
  try {
    return TerminalAccount.parse(JSON.parse(Bytes.from(payload, "base64url").toString("utf8")));
  } catch {
    return null;
  }
}
