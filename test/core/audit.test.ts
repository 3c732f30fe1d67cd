import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { type ChainRow, createChainVerifier, verifyChain } from "#core/audit-chain.ts";
import { exportLine, parseExportLine } from "#core/audit-export.ts";
import { AuditEntry, GENESIS_HASH, organisationChain, projectChain, sealEntry } from "#core/audit.ts";
import { InvalidInputError } from "#core/errors.ts";

const sha256 = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex");
const CHAIN = projectChain("default", "shop");
type Row = { sequence: number; hash: string; text: string };

const entry = (sequence: number, changes: Partial<AuditEntry> = {}): Omit<AuditEntry, "previousHash"> => ({
  chain: CHAIN,
  sequence,
  at: `2026-01-01T12:00:${String(sequence % 60).padStart(2, "0")}.000Z`,
  actor: { kind: "person", id: "identity-1", name: "Anna" },
  action: "command",
  subject: "fix",
  details: { text: `fix number ${sequence}`, cost: 0.25 },
  ...changes,
});

function chainOf(length: number, changes: Partial<AuditEntry> = {}): Row[] {
  let previousHash = GENESIS_HASH;
  return Array.from({ length }, (_, index) => {
    const sealed = sealEntry(entry(index + 1, changes), previousHash, sha256);
    previousHash = sealed.hash;
    return { sequence: index + 1, ...sealed };
  });
}

function rowAt(rows: readonly Row[], index: number): Row {
  const row = rows[index];
  if (row === undefined) throw new Error(`The chain has no row ${index}.`);
  return row;
}

/** The rows with the one at `index` changed, its hash recomputed, as whoever owns the database could. */
function rehashed(rows: readonly Row[], index: number, change: (text: string) => string): Row[] {
  return rows.map((row, at) => {
    if (at !== index) return row;
    const text = change(row.text);
    return { ...row, text, hash: sha256(text) };
  });
}

const verify = (rows: Iterable<ChainRow | null>, options: { chain?: string } = { chain: CHAIN }) =>
  verifyChain(rows, { sha256, ...options });

describe("sealing an entry", () => {
  it("hashes its canonical text, with the hash before it", () => {
    const { text, hash } = sealEntry(entry(1), GENESIS_HASH, sha256);
    expect(text).toBe(
      '{"action":"command","actor":{"id":"identity-1","kind":"person","name":"Anna"},"at":"2026-01-01T12:00:01.000Z",' +
        '"chain":"project:default/shop","details":{"cost":0.25,"text":"fix number 1"},' +
        `"previousHash":"${"0".repeat(64)}","sequence":1,"subject":"fix"}`,
    );
    expect(hash).toBe(sha256(text));
    expect(AuditEntry.parse(JSON.parse(text)).previousHash).toBe(GENESIS_HASH);
  });

  it("does not fail for half a character somebody typed", () => {
    const { text } = sealEntry(
      entry(1, { subject: "a\ud800", details: { "k\udc00": ["v\ud800"] } }),
      GENESIS_HASH,
      sha256,
    );
    expect(JSON.parse(text)).toMatchObject({ subject: "a\ufffd", details: { "k\ufffd": ["v\ufffd"] } });
  });

  test.each<[string, Partial<AuditEntry>]>([
    ["a sequence of zero", { sequence: 0 }],
    ["a time without milliseconds", { at: "2026-01-01T12:00:00Z" }],
    ["a time with an offset", { at: "2026-01-01T12:00:00.000+01:00" }],
    ["an action in capitals", { action: "Command" }],
    ["a chain of no kind", { chain: "shop" }],
    ["a number that is none", { details: { cost: Number.NaN } }],
  ])("refuses %s", (_, changes) => {
    expect(() => sealEntry(entry(1, changes), GENESIS_HASH, sha256)).toThrow(InvalidInputError);
  });

  it("refuses a hash before it that is none", () => {
    expect(() => sealEntry(entry(1), "abc", sha256)).toThrow(InvalidInputError);
  });

  it("refuses details that hold themselves", () => {
    const details: Record<string, never> = {};
    Object.assign(details, { details });
    expect(() => sealEntry(entry(1, { details }), GENESIS_HASH, sha256)).toThrow(InvalidInputError);
  });

  it("has chains for projects and for organisations", () => {
    expect(CHAIN).toBe("project:default/shop");
    expect(organisationChain("acme")).toBe("organisation:acme");
    expect(() => sealEntry(entry(1, { chain: organisationChain("acme") }), GENESIS_HASH, sha256)).not.toThrow();
  });
});

describe("verifying a chain", () => {
  const rows = chainOf(5);
  const first = rowAt(rows, 0);
  const second = rowAt(rows, 1);
  const third = rowAt(rows, 2);
  const fourth = rowAt(rows, 3);
  const fifth = rowAt(rows, 4);

  it("accepts what was sealed, and says where it ends", () => {
    expect(verify(rows)).toEqual({ ok: true, entries: 5, head: { sequence: 5, hash: fifth.hash } });
  });

  it("accepts rows without a sequence of their own", () => {
    expect(verify(rows.map(({ hash, text }) => ({ hash, text })))).toMatchObject({ ok: true });
  });

  it("accepts a chain that has not begun", () => {
    expect(verify([])).toEqual({ ok: true, entries: 0, head: { sequence: 0, hash: GENESIS_HASH } });
  });

  test.each<[string, (Row | null)[], number, RegExp]>([
    ["an altered text", rows.with(2, { ...third, text: third.text.replace("Anna", "Anne") }), 3, /altered/],
    ["an altered hash", rows.with(2, { ...third, hash: sha256("x") }), 3, /altered/],
    ["a hash in capitals", rows.with(2, { ...third, hash: third.hash.toUpperCase() }), 3, /altered/],
    [
      "an altered text with its new hash",
      rehashed(rows, 2, (text) => text.replace("Anna", "Anne")),
      4,
      /does not follow/,
    ],
    ["a missing entry", [first, second, fourth, fifth], 3, /missing/],
    ["a repeated entry", [first, second, second, third, fourth, fifth], 3, /again/],
    ["two entries swapped", [first, third, second, fourth, fifth], 2, /missing/],
    ["a missing beginning", [second, third, fourth, fifth], 1, /beginning is missing/],
    ["another number in the column", rows.with(2, { ...third, sequence: 7 }), 3, /stored as number 7/],
    ["a text that is no JSON", rehashed(rows, 2, () => "{"), 3, /not an audit entry/],
    ["a text that is no entry", rehashed(rows, 2, () => "[1]"), 3, /not an audit entry/],
    [
      "a member too many",
      rehashed(rows, 2, (text) => text.replace('"action"', '"a":1,"action"')),
      3,
      /not an audit entry/,
    ],
    ["spaces in a text", rehashed(rows, 2, (text) => text.replace('"sequence":3', '"sequence": 3')), 3, /canonical/],
    ["a member named twice", rehashed(rows, 2, (text) => text.replace("{", '{"action":"vote",')), 3, /canonical/],
    [
      "members in another order",
      rehashed(rows, 2, (text) => text.replace(/^\{(.*),("subject":"fix")\}$/, "{$2,$1}")),
      3,
      /canonical/,
    ],
    ["an unreadable line", rows.map((row, index) => (index === 2 ? null : row)), 3, /cannot be read/],
  ])("finds %s", (_, damaged, sequence, reason) => {
    const result = verify(damaged);
    expect(result).toMatchObject({ ok: false, sequence });
    expect(result.ok ? "" : result.reason).toMatch(reason);
  });

  it("finds another project's chain, given the name of the one it should be", () => {
    const other = chainOf(3, { chain: projectChain("default", "other") });
    expect(verify(other)).toMatchObject({ ok: false, sequence: 1 });
    expect(verify(other, {})).toMatchObject({ ok: true });
  });

  it("finds an entry of another chain among its own", () => {
    const forged = sealEntry(entry(2, { chain: projectChain("default", "other") }), first.hash, sha256);
    expect(verify([first, { sequence: 2, ...forged }], {})).toMatchObject({ ok: false, sequence: 2 });
  });

  it("goes on from where retention cut", () => {
    const from = { sequence: 2, hash: second.hash };
    expect(verifyChain([third, fourth], { sha256, from })).toEqual({
      ok: true,
      entries: 2,
      head: { sequence: 4, hash: fourth.hash },
    });
    expect(verifyChain([fourth], { sha256, from })).toMatchObject({ ok: false, sequence: 3 });
    expect(verifyChain([third], { sha256, from: { sequence: 2, hash: first.hash } })).toMatchObject({
      ok: false,
      sequence: 3,
    });
  });

  it("finds a missing end only with a checkpoint", () => {
    const cut = rows.slice(0, 4);
    expect(verify(cut)).toMatchObject({ ok: true });
    const result = verifyChain(cut, { sha256, checkpoint: { sequence: 5, hash: fifth.hash } });
    expect(result).toMatchObject({ ok: false, sequence: 5 });
  });

  it("finds a chain rewritten from end to end with a checkpoint", () => {
    const rewritten = chainOf(5, { subject: "merge" });
    expect(verify(rewritten)).toMatchObject({ ok: true });
    expect(verifyChain(rewritten, { sha256, checkpoint: { sequence: 3, hash: third.hash } })).toMatchObject({
      ok: false,
      sequence: 3,
    });
    expect(verifyChain(rows, { sha256, checkpoint: { sequence: 3, hash: third.hash } })).toMatchObject({ ok: true });
  });

  it("goes page by page, and stays with its first failure", () => {
    const verifier = createChainVerifier({ sha256, chain: CHAIN });
    expect(verifier.push(first)).toBeNull();
    expect(verifier.push(third)).toMatchObject({ sequence: 2 });
    expect(verifier.push(second)).toMatchObject({ sequence: 2 });
    expect(verifier.finish()).toMatchObject({ ok: false, sequence: 2 });
  });
});

describe("any one change to a chain", () => {
  const rows = chainOf(6);
  const last = rowAt(rows, 5);
  const head = { sequence: last.sequence, hash: last.hash };
  const fails = (changed: (ChainRow | null)[]): void => {
    expect(verifyChain(changed, { sha256, chain: CHAIN, checkpoint: head }).ok).toBe(false);
  };
  const place = fc.nat({ max: rows.length - 1 });

  it("to one character of a text or hash is found", () => {
    fc.assert(
      fc.property(
        place,
        fc.constantFrom("text" as const, "hash" as const),
        fc.nat(),
        fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
        (index, field, at, put) => {
          const row = rowAt(rows, index);
          const offset = at % row[field].length;
          const changed = row[field].slice(0, offset) + put + row[field].slice(offset + 1);
          fc.pre(changed !== row[field]);
          fails(rows.with(index, { ...row, [field]: changed }));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("to one character of a text is found also when its hash is made to fit", () => {
    fc.assert(
      fc.property(place, fc.nat(), fc.string({ unit: "binary", minLength: 1, maxLength: 1 }), (index, at, put) => {
        const text = rowAt(rows, index).text;
        const offset = at % text.length;
        const changed = text.slice(0, offset) + put + text.slice(offset + 1);
        fc.pre(changed !== text);
        fails(rehashed(rows, index, () => changed));
      }),
      { numRuns: 500 },
    );
  });

  it("to any field of an entry is found also when its hash is made to fit", () => {
    const fields = fc.constantFrom(...Object.keys(entry(1)), "previousHash");
    fc.assert(
      fc.property(place, fields, fc.jsonValue(), (index, field, value) => {
        const text = rowAt(rows, index).text;
        const changed = JSON.stringify({ ...JSON.parse(text), [field]: value });
        fc.pre(changed !== text);
        fails(rehashed(rows, index, () => changed));
      }),
    );
  });

  it("to the order, or to how often or whether an entry stands there, is found", () => {
    fc.assert(
      fc.property(place, place, (one, other) => {
        fails(rows.toSpliced(one, 1));
        fails(rows.toSpliced(one, 0, rowAt(rows, other)));
        if (one !== other) fails(rows.with(one, rowAt(rows, other)).with(other, rowAt(rows, one)));
      }),
    );
  });
});

describe("an export", () => {
  it("gives each row back from its line", () => {
    for (const row of chainOf(3, { details: { text: "line\nfeed\u2028 “quoted”" } })) {
      expect(exportLine(row)).not.toContain("\n");
      expect(parseExportLine(exportLine(row))).toEqual(row);
    }
  });

  it.each([
    "",
    "{",
    "null",
    "[]",
    '{"sequence":1}',
    '{"sequence":0,"hash":"a","text":"b"}',
    '{"sequence":1,"hash":1,"text":"b"}',
  ])("has no row in the line %j", (line) => {
    expect(parseExportLine(line)).toBeNull();
  });

  it("verifies line by line", () => {
    const lines = chainOf(4).map(exportLine);
    expect(verify(lines.map(parseExportLine))).toMatchObject({ ok: true, entries: 4 });
    expect(verify(lines.with(1, (lines[1] ?? "").slice(1)).map(parseExportLine))).toMatchObject({
      ok: false,
      sequence: 2,
    });
  });
});
