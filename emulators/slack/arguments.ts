import type { Refused } from "./limits.ts";
import type { Message } from "./workspace.ts";

/** A call's arguments as Slack takes them: a form's texts, or JSON. */
export type Arguments = Record<string, unknown>;
export type Answer = { ok: true; [key: string]: unknown } | { ok: false; error: string; [key: string]: unknown };

export const refuse = (error: string, more: Record<string, unknown> = {}): Answer => ({ ok: false, error, ...more });
export const refusal = ({ error, detail }: Refused): Answer =>
  refuse(error, detail === undefined ? {} : { response_metadata: { messages: [detail] } });

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
/** Nested arguments come as JSON texts in forms. */
export function nested(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

const isTrue = (value: unknown): boolean => value === true || value === "true" || value === "1";
const PAGE = 100;
const MAX_PAGE = 999;

/** One page of messages in the order given, by `oldest`, `inclusive`, `limit` and `cursor`. A thread's first message is always among them. */
export function answerPage(
  args: Arguments,
  messages: Message[],
  present: (message: Message, withMetadata: boolean) => Record<string, unknown>,
): Answer {
  const oldest = Number(textOf(args["oldest"]) || 0);
  const wanted = messages.filter(
    ({ ts }) => ts === args["ts"] || (isTrue(args["inclusive"]) ? Number(ts) >= oldest : Number(ts) > oldest),
  );
  const limit = Math.min(Math.max(1, Number(args["limit"] ?? PAGE) || PAGE), MAX_PAGE);
  const from = Number(Buffer.from(textOf(args["cursor"]), "base64").toString()) || 0;
  const more = from + limit < wanted.length;
  return {
    ok: true,
    messages: wanted.slice(from, from + limit).map((message) => present(message, isTrue(args["include_all_metadata"]))),
    has_more: more,
    response_metadata: { next_cursor: more ? Buffer.from(String(from + limit)).toString("base64") : "" },
  };
}
