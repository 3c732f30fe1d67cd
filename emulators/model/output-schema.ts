import { invalid } from "./refusal.ts";

type JsonSchema = {
  type?: string;
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: unknown;
  items?: JsonSchema;
  minItems?: number;
  anyOf?: JsonSchema[];
  allOf?: JsonSchema[];
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
};

/** Keywords that structured output does not know; the API refuses them rather than to pass over them. */
const UNSUPPORTED: Record<string, readonly string[]> = {
  string: ["minLength", "maxLength"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  integer: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  array: ["maxItems", "uniqueItems"],
  object: ["minProperties", "maxProperties", "patternProperties", "propertyNames"],
};

/** Throws the API's refusal for a schema that structured output does not support. */
export function checkOutputSchema(schema: unknown): void {
  const path = "output_config.format.schema";
  const { type, properties, additionalProperties, items, minItems, anyOf, allOf, $defs } = schema as JsonSchema;
  const wrong = (said: string) => invalid(`${path}: ${said}`);
  for (const keyword of UNSUPPORTED[type ?? ""] ?? [])
    if (keyword in (schema as object)) throw wrong(`For '${type}' type, property '${keyword}' is not supported`);
  if (type === "object" && additionalProperties !== false)
    throw wrong("For 'object' type, 'additionalProperties' must be explicitly set to false");
  if (minItems !== undefined && minItems > 1)
    throw wrong("For 'array' type, 'minItems' values other than 0 or 1 are not supported");
  const inner = [
    ...Object.values(properties ?? {}),
    ...Object.values($defs ?? {}),
    ...(items ? [items] : []),
    ...(anyOf ?? []),
    ...(allOf ?? []),
  ];
  for (const one of inner) checkOutputSchema(one);
}

/** The simplest value that fits a schema: what a model nobody scripted answers. */
export function sampleOf(schema: unknown, root: unknown = schema, depth = 0): unknown {
  const { type, properties, required, items, minItems, anyOf, allOf, $ref, ...rest } = schema as JsonSchema;
  if (depth > 20) return null;
  const sample = (inner: unknown) => sampleOf(inner, root, depth + 1);
  if ($ref !== undefined) return sample((root as JsonSchema).$defs?.[$ref.replace("#/$defs/", "")] ?? {});
  if ("const" in rest) return rest.const;
  if (rest.enum) return rest.enum[0];
  const alternative = anyOf?.[0] ?? allOf?.[0];
  if (alternative) return sample(alternative);
  switch (type) {
    case "object":
      return Object.fromEntries((required ?? []).map((name) => [name, sample(properties?.[name] ?? {})]));
    case "array":
      return minItems && items ? [sample(items)] : [];
    case "number":
    case "integer":
      return 0;
    case "boolean":
      return false;
    case "null":
      return null;
    default:
      return "sample";
  }
}
