import { type ChainHead, EMPTY_CHAIN, type Sha256 } from "./audit.ts";
import { isCanonical } from "./canonical-json.ts";

/** An entry as it is stored and exported: `text` is what was hashed, `sequence` the column beside it, where there is one. */
export type ChainRow = { sequence?: number; hash: string; text: string };

export type ChainFailure = { ok: false; sequence: number; reason: string };
export type ChainVerification = { ok: true; entries: number; head: ChainHead } | ChainFailure;

export type VerifyOptions = {
  sha256: Sha256;
  /** The chain the rows must belong to; without it, the chain of the first row. */
  chain?: string;
  /** The entry before the first row, where retention removed a prefix (from its signed checkpoint). Default: the chain's beginning. */
  from?: ChainHead;
  /** A place the rows must reach and agree with. Only this finds a cut tail: a shorter chain is a chain. */
  checkpoint?: ChainHead;
};

export type ChainVerifier = {
  /** Takes the next row (null: an unreadable line). Returns the first failure, and goes on returning it. */
  push: (row: ChainRow | null) => ChainFailure | null;
  finish: () => ChainVerification;
};

/** The members an entry's text must have for the chain to be followed. */
type Links = { chain: string; sequence: number; previousHash: string };

function readLinks(text: string): { links: Links; parsed: unknown } | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  return isEntryShaped(parsed) ? { links: parsed, parsed } : null;
}

// By hand, not by zod: this runs for each of millions of rows, and the hash vouches for the rest.
function isEntryShaped(value: unknown): value is Links {
  if (typeof value !== "object" || value === null) return false;
  const entry: Partial<Record<string, unknown>> = value;
  return (
    typeof entry["chain"] === "string" &&
    Number.isSafeInteger(entry["sequence"]) &&
    typeof entry["previousHash"] === "string" &&
    typeof entry["at"] === "string" &&
    typeof entry["action"] === "string" &&
    typeof entry["subject"] === "string" &&
    isObject(entry["actor"]) &&
    isObject(entry["details"]) &&
    Object.keys(entry).length === 8
  );
}

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Verifies a chain row by row, in constant memory. What makes a row good: its hash is that of its text, and the text is a
 * canonical entry of this chain with the next sequence number and the hash of the row before it. Canonicality is
 * checked although the hash binds the text: with two members of one name, two readers could read two different entries.
 * A failure names the sequence number the row should have had, whatever an altered row says about itself.
 */
export function createChainVerifier({ sha256, chain, from = EMPTY_CHAIN, checkpoint }: VerifyOptions): ChainVerifier {
  let { sequence, hash } = from;
  let expectedChain = chain;
  let entries = 0;
  let failure: ChainFailure | null = null;

  const fail = (at: number, reason: string): ChainFailure => (failure = { ok: false, sequence: at, reason });

  const push = (row: ChainRow | null): ChainFailure | null => {
    if (failure !== null) return failure;
    const expected = sequence + 1;
    if (row === null) return fail(expected, `Entry ${expected} cannot be read.`);
    if (sha256(row.text) !== row.hash)
      return fail(expected, `Entry ${expected} was altered: its text does not have its hash.`);
    const read = readLinks(row.text);
    if (read === null) return fail(expected, `Entry ${expected} is not an audit entry.`);
    const { links } = read;
    if (expectedChain !== undefined && links.chain !== expectedChain) {
      return fail(expected, `Entry ${expected} belongs to the chain ${links.chain}, not to ${expectedChain}.`);
    }
    if (links.sequence !== expected) return fail(expected, misplaced(expected, links.sequence, entries === 0));
    if (row.sequence !== undefined && row.sequence !== expected) {
      return fail(expected, `Entry ${expected} is stored as number ${row.sequence}.`);
    }
    if (links.previousHash !== hash) {
      return fail(expected, `Entry ${expected} does not follow the entry before it: the hash it names is another one.`);
    }
    if (!isCanonical(row.text, read.parsed)) return fail(expected, `Entry ${expected} is not in canonical form.`);
    if (checkpoint?.sequence === expected && checkpoint.hash !== row.hash) {
      return fail(expected, `Entry ${expected} is not the one that the checkpoint names: the chain was rewritten.`);
    }
    expectedChain = links.chain;
    sequence = expected;
    hash = row.hash;
    entries += 1;
    return null;
  };

  const finish = (): ChainVerification => {
    if (failure !== null) return failure;
    if (checkpoint !== undefined && checkpoint.sequence > sequence) {
      return fail(
        sequence + 1,
        `The chain ends at entry ${sequence}, but the checkpoint names entry ${checkpoint.sequence}: its end is missing.`,
      );
    }
    return { ok: true, entries, head: { sequence, hash } };
  };

  // A checkpoint at the very beginning is never passed by a row.
  if (checkpoint?.sequence === sequence && checkpoint.hash !== hash) {
    fail(sequence, `Entry ${sequence} is not the one that the checkpoint names.`);
  }
  return { push, finish };
}

function misplaced(expected: number, found: number, isFirst: boolean): string {
  if (isFirst && found > expected)
    return `The chain should begin with entry ${expected} but begins with ${found}: its beginning is missing.`;
  if (found > expected) return `Entry ${expected} is missing: entry ${found} stands in its place.`;
  return `Entry ${found} stands again, or out of order, in the place of entry ${expected}.`;
}

/** Verifies a whole chain; `createChainVerifier` does the same page by page. */
export function verifyChain(rows: Iterable<ChainRow | null>, options: VerifyOptions): ChainVerification {
  const verifier = createChainVerifier(options);
  for (const row of rows) if (verifier.push(row) !== null) break;
  return verifier.finish();
}
