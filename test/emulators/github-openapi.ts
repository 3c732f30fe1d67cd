import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Ajv, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";

type Schema = Record<string, unknown>;
type Description = {
  paths: Record<
    string,
    Record<string, { responses: Record<string, { content?: Record<string, { schema: Schema }> }> }>
  >;
};

const description = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve("@octokit/openapi/generated/api.github.com.deref.json"), "utf8"),
) as Description;
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true });
addFormats.default(ajv);

/** OpenAPI 3.0 says `nullable`; JSON Schema wants a choice. */
function toJsonSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toJsonSchema);
  if (typeof value !== "object" || value === null) return value;
  const { nullable, example: _example, examples: _examples, ...rest } = value as Schema;
  const schema = Object.fromEntries(
    Object.entries(rest).map(([key, part]) => [key, key === "enum" ? part : toJsonSchema(part)]),
  );
  return nullable === true ? { anyOf: [{ type: "null" }, schema] } : schema;
}

const compiled = new Map<string, ValidateFunction | null>();

/** What GitHub promises for an answer; its general error where a refusal is not described for the endpoint. */
export function validatorOf(method: string, template: string, status: number): ValidateFunction | null {
  const key = `${method} ${template} ${status}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const described = description.paths[template]?.[method.toLowerCase()]?.responses[status];
  if (described === undefined && status < 400) throw new Error(`GitHub describes no ${key}`);
  const general = description.paths["/user"]?.["get"]?.responses["401"];
  const content = described?.content ?? (status >= 400 ? general?.content : undefined) ?? {};
  const schema = (content["application/json"] ?? Object.values(content)[0])?.schema;
  const validator = schema === undefined ? null : ajv.compile(toJsonSchema(schema) as Schema);
  compiled.set(key, validator);
  return validator;
}
