import { custom, enum as enumOf, type infer as Infer, json, number, object, record, string } from "zod";
import { canonicalJson, MAX_DEPTH } from "./canonical-json.ts";
import { InvalidInputError } from "./errors.ts";

/** SHA-256 of a text's UTF-8 bytes as 64 lower-case hexadecimal digits. Synchronous: it runs inside transactions. */
export type Sha256 = (text: string) => string;

/** What the first entry of a chain names as the hash before it. */
export const GENESIS_HASH = "0".repeat(64);

/** A place in a chain: the hash of the entry with this sequence number. Sequence 0 is before the first entry. */
export type ChainHead = { sequence: number; hash: string };
export const EMPTY_CHAIN: ChainHead = { sequence: 0, hash: GENESIS_HASH };

const Hash = string().regex(/^[0-9a-f]{64}$/);

export const Actor = object({
  kind: enumOf(["person", "agent", "system"]),
  id: string().min(1).max(400),
  name: string().max(200),
});
export type Actor = Infer<typeof Actor>;

/**
 * One link of an audit chain (design/policy.md, "Audit"). `sequence` counts from 1 without gaps; `at` is UTC with
 * milliseconds; `action` says what kind of thing happened (command, decision, agent, tool, vote, webhook, model, delivery, role, …);
 * `subject` what it happened to; `details` the rest. Secrets never enter.
 */
export const AuditEntry = object({
  chain: string().regex(
    /^(?:project:[a-z0-9][a-z0-9-]{0,38}\/[a-z0-9][a-z0-9._-]{0,98}|organisation:[a-z0-9][a-z0-9-]{0,38})$/,
  ),
  sequence: number().int().min(1),
  at: string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/),
  actor: Actor,
  action: string()
    .max(60)
    .regex(/^[a-z][a-z.-]*$/),
  subject: string().max(1000),
  details: record(string(), json()),
  previousHash: Hash,
});
export type AuditEntry = Infer<typeof AuditEntry>;

export const projectChain = (organisation: string, project: string): string => `project:${organisation}/${project}`;
export const organisationChain = (organisation: string): string => `organisation:${organisation}`;

/**
 * Makes an entry final: its canonical text, to be stored as it is, and the hash of that text, which the next entry
 * names as `previousHash`. Halves of characters in the fields become U+FFFD: they have no UTF-8 form, and an entry must never
 * fail for what somebody typed. Throws InvalidInputError when the fields are no entry.
 */
export function sealEntry(
  fields: Omit<AuditEntry, "previousHash">,
  previousHash: string,
  sha256: Sha256,
): { text: string; hash: string } {
  const entry = { ...fields, previousHash };
  const parsed = Sealed.safeParse(entry);
  if (!parsed.success) throw new InvalidInputError("This is not an audit entry.", { cause: parsed.error });
  const text = canonicalText(entry);
  return { text, hash: sha256(text) };
}

/** An entry whose details are still to be looked through: writing them canonically does that, and this runs for every message. */
const Sealed = AuditEntry.extend({
  details: custom<AuditEntry["details"]>(
    (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  ),
});

function canonicalText(entry: AuditEntry): string {
  try {
    return canonicalJson(entry);
  } catch {
    // Most often half a character; whatever else it is fails again.
    return canonicalJson(wellFormed(entry));
  }
}

function wellFormed(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value !== "object" || value === null) return value;
  // Also what ends the walk through a value that holds itself.
  if (depth > MAX_DEPTH) throw new InvalidInputError(`An audit entry is nested deeper than ${MAX_DEPTH} levels.`);
  if (Array.isArray(value)) return value.map((item) => wellFormed(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name.toWellFormed(), wellFormed(member, depth + 1)]),
  );
}
