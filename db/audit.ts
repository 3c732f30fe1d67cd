import { and, asc, eq, getTableColumns, gte } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { auditEntries } from "./schema.ts";

export type CopiedEntry = Omit<typeof auditEntries.$inferSelect, "chain">;

/** At most `limit` copied entries of a chain from sequence `from` on, in order. */
export function readAuditPage(d1: D1Database, chain: string, from: number, limit: number): Promise<CopiedEntry[]> {
  const { chain: _, ...columns } = getTableColumns(auditEntries);
  return drizzle(d1, { casing: "snake_case" })
    .select(columns)
    .from(auditEntries)
    .where(and(eq(auditEntries.chain, chain), gte(auditEntries.sequence, from)))
    .orderBy(asc(auditEntries.sequence))
    .limit(limit);
}
