import type { AuditEntry } from "#core/audit.ts";
import { type ChainVerification, createChainVerifier } from "#core/audit-chain.ts";
import { type CopiedEntry, readAuditPage } from "#db/audit.ts";
import { type AuditLog, sha256 } from "./audit-log.ts";

const PAGE = 500;

/** What a person is told of a chain: whether it is as it was written, here and in D1, and if not, where it first is not. */
export type AuditVerdict = { ok: boolean; words: string };

/**
 * Verifies a chain, and that its copy in D1, which people query, is the same one, entry for entry and column for column. `d1` must
 * have everything up to the head.
 */
export async function verifyAudit(log: AuditLog, d1: D1Database): Promise<AuditVerdict> {
  const { head } = log;
  const own = await verifyOwn(log, head.sequence);
  if (!own.ok) return { ok: false, words: `✗ ${log.chain} is broken at entry ${own.sequence}. ${own.reason}` };
  const copied = await verifyCopy(log, d1, head.sequence);
  if (!copied.ok) {
    return {
      ok: false,
      words: `✗ The copy of ${log.chain} in the database is broken at entry ${copied.sequence}. ${copied.reason}`,
    };
  }
  const short = head.hash.slice(0, 16);
  return {
    ok: true,
    words: `✓ ${log.chain}: ${own.entries} entries verified, here and in the database. Head: #${head.sequence} ${short}…`,
  };
}

async function verifyOwn(log: AuditLog, upTo: number): Promise<ChainVerification> {
  const verifier = createChainVerifier({ sha256, chain: log.chain });
  for (let from: number | null = 1; from !== null && from <= upTo;) {
    const page = log.page(from, PAGE);
    for (const row of page.rows) if (row.sequence <= upTo) verifier.push(row);
    from = page.next;
    // A long chain must not hold up the messages that come meanwhile.
    await scheduler.wait(0);
  }
  return verifier.finish();
}

async function verifyCopy(log: AuditLog, d1: D1Database, upTo: number): Promise<ChainVerification> {
  // A copy that is a chain of its own, or ends early, does not reach the head of this one.
  const checkpoint = log.page(upTo, 1).rows[0];
  const verifier = createChainVerifier({ sha256, chain: log.chain, ...(checkpoint ? { checkpoint } : {}) });
  for (let from = 1; from <= upTo;) {
    const rows = await readAuditPage(d1, log.chain, from, PAGE);
    for (const row of rows) {
      if (row.sequence > upTo) break;
      const failure = verifier.push(row);
      if (failure) return failure;
      if (!saysWhatItsTextSays(row)) {
        return {
          ok: false,
          sequence: row.sequence,
          reason: "Its columns say something else than the text that was hashed.",
        };
      }
    }
    const last = rows.at(-1);
    if (!last) break;
    from = last.sequence + 1;
  }
  return verifier.finish();
}

/** People query the columns, and the hash vouches for the text: they have to agree. */
function saysWhatItsTextSays({ text, at, actor, action, subject }: CopiedEntry): boolean {
  const entry = JSON.parse(text) as AuditEntry;
  return entry.at === at && entry.actor.id === actor && entry.action === action && entry.subject === subject;
}
