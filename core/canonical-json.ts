import { InvalidInputError } from "./errors.ts";

/** Deeper values are refused: nothing that is audited nests like this, and every reader must survive it. */
export const MAX_DEPTH = 64;

/**
 * The one JSON text of a value (RFC 8785): members sorted by the UTF-16 code units of their names, no whitespace,
 * numbers and strings as ECMAScript writes them. Throws InvalidInputError on what has no such text: undefined,
 * NaN and infinities, bigint, functions, lone surrogates, objects with a class, values nested deeper than 64.
 */
export const canonicalJson = (value: unknown): string => canonical(value, 0);

function canonical(value: unknown, depth: number): string {
  switch (typeof value) {
    case "string":
      return canonicalString(value);
    case "number":
      if (!Number.isFinite(value)) throw new InvalidInputError(`JSON has no number ${value}.`);
      return JSON.stringify(value);
    case "boolean":
      return value ? "true" : "false";
    case "object":
      if (value === null) return "null";
      if (depth >= MAX_DEPTH) throw new InvalidInputError(`The value is nested deeper than ${MAX_DEPTH} levels.`);
      return Array.isArray(value) ? canonicalArray(value, depth + 1) : canonicalObject(value, depth + 1);
    default:
      throw new InvalidInputError(`JSON has no ${typeof value}.`);
  }
}

function canonicalString(value: string): string {
  if (!value.isWellFormed()) throw new InvalidInputError("The text holds half a character (a lone surrogate).");
  return JSON.stringify(value);
}

function canonicalArray(values: readonly unknown[], depth: number): string {
  let text = "[";
  for (let index = 0; index < values.length; index += 1) {
    if (index > 0) text += ",";
    text += canonical(values[index], depth);
  }
  return `${text}]`;
}

function canonicalObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    throw new InvalidInputError("Only plain objects and arrays have a canonical form.");
  }
  const members: Record<string, unknown> = { ...value };
  let text = "{";
  // Sorting without a comparison sorts by UTF-16 code units, which is what RFC 8785 asks for.
  for (const name of Object.keys(value).toSorted()) {
    if (text.length > 1) text += ",";
    text += `${canonicalString(name)}:${canonical(members[name], depth)}`;
  }
  return `${text}}`;
}

/**
 * Whether a text is the canonical one of the value it was parsed to. Most often answered without building the text anew:
 * the engine's own JSON.stringify keeps the order of the members, so if it gives the text back, only that order is left to check.
 */
export function isCanonical(text: string, parsed: unknown): boolean {
  try {
    // JSON.stringify writes a lone surrogate as \udxxx, and no other character that way.
    if (!text.includes("\\ud") && JSON.stringify(parsed) === text && isSorted(parsed, 0)) return true;
    // Names that look like array indexes are reordered by the engine: only a comparison tells.
    return canonicalJson(parsed) === text;
  } catch {
    return false;
  }
}

function isSorted(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (depth >= MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((item) => isSorted(item, depth + 1));
  let previous: string | null = null;
  // Parsed from JSON: all members are the object's own, and reading them one by one is faster than Object.entries.
  for (const name in value) {
    if (previous !== null && previous >= name) return false;
    const member: unknown = Reflect.get(value, name);
    if (typeof member === "object" && !isSorted(member, depth + 1)) return false;
    previous = name;
  }
  return true;
}
