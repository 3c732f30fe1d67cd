import { type infer as Infer, number, object, string } from "zod";

/** One line of an export (NDJSON): the text is carried as it was hashed, not as an object that could be written differently. */
export const ExportRow = object({ sequence: number().int().min(1), hash: string(), text: string() });
export type ExportRow = Infer<typeof ExportRow>;

/** A line without its line feed. */
export const exportLine = ({ sequence, hash, text }: ExportRow): string => JSON.stringify({ sequence, hash, text });

/** The row of a line, or null when it is none; a verifier takes null for an unreadable entry. */
export function parseExportLine(line: string): ExportRow | null {
  try {
    return ExportRow.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
