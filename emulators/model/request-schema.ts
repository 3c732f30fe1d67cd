import {
  array,
  boolean,
  discriminatedUnion,
  enum as oneOf,
  int,
  literal,
  looseObject,
  type output,
  record,
  strictObject,
  string,
  union,
  unknown,
  type ZodType,
} from "zod";
import { invalid } from "./refusal.ts";

// What `MessageCreateParams` of @anthropic-ai/sdk allows, field by field; anything else is refused, as the API does. Of the
// kinds of content, those that only Anthropic's own tools bring are left out.

const cacheControl = strictObject({ type: literal("ephemeral"), ttl: oneOf(["5m", "1h"]).optional() }).nullish();

const text = strictObject({
  type: literal("text"),
  text: string(),
  cache_control: cacheControl,
  citations: array(unknown()).nullish(),
});

const image = strictObject({
  type: literal("image"),
  source: discriminatedUnion("type", [
    strictObject({
      type: literal("base64"),
      media_type: oneOf(["image/jpeg", "image/png", "image/gif", "image/webp"]),
      data: string(),
    }),
    strictObject({ type: literal("url"), url: string() }),
    strictObject({ type: literal("file"), file_id: string() }),
  ]),
  cache_control: cacheControl,
  transformations: strictObject({ oversized_image: oneOf(["downsize", "error"]).optional() }).nullish(),
});

const document = strictObject({
  type: literal("document"),
  source: discriminatedUnion("type", [
    strictObject({ type: literal("base64"), media_type: literal("application/pdf"), data: string() }),
    strictObject({ type: literal("text"), media_type: literal("text/plain"), data: string() }),
    strictObject({ type: literal("content"), content: union([string(), array(unknown())]) }),
    strictObject({ type: literal("url"), url: string() }),
    strictObject({ type: literal("file"), file_id: string() }),
  ]),
  cache_control: cacheControl,
  citations: strictObject({ enabled: boolean().optional() }).nullish(),
  context: string().nullish(),
  title: string().nullish(),
});

const toolUse = strictObject({
  type: literal("tool_use"),
  id: string().regex(/^[a-zA-Z0-9_-]+$/, "String should match pattern '^[a-zA-Z0-9_-]+$'"),
  name: string(),
  input: record(string(), unknown()),
  cache_control: cacheControl,
  caller: looseObject({ type: string() }).optional(),
  toolset_name: string().nullish(),
});

const toolResult = strictObject({
  type: literal("tool_result"),
  tool_use_id: string(),
  content: union([string(), array(discriminatedUnion("type", [text, image, document]))]).optional(),
  is_error: boolean().optional(),
  cache_control: cacheControl,
  toolset_name: string().nullish(),
});

const block = discriminatedUnion("type", [
  text,
  image,
  document,
  toolUse,
  toolResult,
  strictObject({ type: literal("thinking"), thinking: string(), signature: string() }),
  strictObject({ type: literal("redacted_thinking"), data: string() }),
]);
export type RequestBlock = output<typeof block>;

const message = discriminatedUnion("role", [
  strictObject({ role: literal("user"), content: union([string(), array(block)]) }),
  strictObject({ role: literal("assistant"), content: union([string(), array(block)]) }),
  strictObject({ role: literal("system"), content: union([string(), array(text)]) }),
]);
export type RequestMessage = output<typeof message>;

const customTool = strictObject({
  type: literal("custom").nullish(),
  name: string().regex(/^[a-zA-Z0-9_-]{1,128}$/, "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'"),
  description: string().optional(),
  input_schema: looseObject({ type: literal("object") }),
  allowed_callers: array(string()).optional(),
  cache_control: cacheControl,
  defer_loading: boolean().optional(),
  eager_input_streaming: boolean().nullish(),
  input_examples: array(record(string(), unknown())).optional(),
  strict: boolean().optional(),
});

/** Anthropic's own tools are known by name and date; the emulator offers them to nobody. */
const ownTool = looseObject({
  type: string().regex(/^[a-z][a-z0-9_]*_20\d{6}$/),
  name: string(),
  cache_control: cacheControl,
});

const parallel = boolean().optional();
const thinks = { display: oneOf(["summarized", "omitted"]).nullish() };

const prompt = {
  model: string().min(1),
  messages: array(message),
  system: union([string(), array(text)]).optional(),
  tools: array(union([customTool, ownTool])).optional(),
  tool_choice: discriminatedUnion("type", [
    strictObject({ type: literal("auto"), disable_parallel_tool_use: parallel }),
    strictObject({ type: literal("any"), disable_parallel_tool_use: parallel }),
    strictObject({ type: literal("tool"), name: string(), disable_parallel_tool_use: parallel }),
    strictObject({ type: literal("none") }),
  ]).optional(),
  thinking: discriminatedUnion("type", [
    strictObject({ type: literal("enabled"), budget_tokens: int().min(1024), ...thinks }),
    strictObject({ type: literal("adaptive"), ...thinks }),
    strictObject({ type: literal("between_tools") }),
    strictObject({ type: literal("disabled") }),
  ]).optional(),
  cache_control: cacheControl,
  output_config: strictObject({
    effort: oneOf(["low", "medium", "high", "xhigh", "max"]).nullish(),
    format: strictObject({ type: literal("json_schema"), schema: record(string(), unknown()) }).nullish(),
  }).optional(),
  speed: oneOf(["standard", "fast"]).nullish(),
};

const messagesRequest = strictObject({
  ...prompt,
  max_tokens: int().nonnegative(),
  stream: boolean().optional(),
  stop_sequences: array(string()).optional(),
  metadata: strictObject({ user_id: string().nullish() }).optional(),
  service_tier: oneOf(["auto", "standard_only"]).optional(),
  container: unknown().optional(),
  diagnostics: strictObject({ previous_message_id: string().nullish() }).nullish(),
  inference_geo: string().nullish(),
});
export type MessagesRequest = output<typeof messagesRequest>;

const countRequest = strictObject(prompt);
export type CountRequest = output<typeof countRequest>;

/** Fields that only the beta types have are let through, and ignored, when the caller says that it uses those. */
export const parseMessagesRequest = (body: unknown, beta: boolean): MessagesRequest =>
  beta ? parse(messagesRequest.loose(), body) : parse(messagesRequest, body);

export const parseCountRequest = (body: unknown, beta: boolean): CountRequest =>
  beta ? parse(countRequest.loose(), body) : parse(countRequest, body);

type Issue = { code: string; path: readonly PropertyKey[]; message: string; keys?: string[]; errors?: Issue[][] };

function parse<T>(schema: ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const { path, message: said } = deepest(parsed.error.issues, body);
  throw invalid(path === "" ? said : `${path}: ${said}`);
}

/** The problem in the API's words. Of a union, the alternative that got furthest is what was meant. */
function deepest(issues: readonly Issue[], body: unknown): { path: string; message: string } {
  const flat = issues.flatMap((issue) => flatten(issue));
  const issue = flat.toSorted((one, other) => other.path.length - one.path.length)[0];
  if (!issue) return { path: "", message: "Invalid request" };
  if (issue.code === "unrecognized_keys")
    return { path: [...issue.path, issue.keys?.[0] ?? ""].join("."), message: "Extra inputs are not permitted" };
  if (issue.code === "invalid_union")
    return { path: issue.path.join("."), message: "Input tag does not match any of the expected tags" };
  const given = issue.path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key],
    body,
  );
  return { path: issue.path.join("."), message: given === undefined ? "Field required" : issue.message };
}

function flatten(issue: Issue): Issue[] {
  const alternatives = issue.code === "invalid_union" ? (issue.errors ?? []) : [];
  if (alternatives.length === 0) return [issue];
  return alternatives.flatMap((inner) =>
    inner.flatMap((one) => flatten({ ...one, path: [...issue.path, ...one.path] })),
  );
}
