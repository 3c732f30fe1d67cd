import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { once } from "node:events";
import type { ChainHead } from "#core/audit.ts";
import { createChainVerifier } from "#core/audit-chain.ts";
import { parseExportLine } from "#core/audit-export.ts";
import { request } from "./api.ts";
import { adminEndpoint, type Whereabouts } from "./endpoint.ts";
import { describeError, Failure, usageFailure } from "./failure.ts";
import { plainLine } from "./render.ts";

// No entry is longer (its owner keeps rows under 1 MB); a file without line breaks must not fill the memory.
const LINE_LIMIT_BYTES = 8_000_000;

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The lines of a stream of bytes without their line feed; null for one that is longer than any entry. */
export async function* linesIn(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string | null> {
  let rest: Buffer[] = [];
  let length = 0;
  for await (const bytes of chunks) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      yield Buffer.concat([...rest, chunk.subarray(start, end)]).toString("utf8");
      rest = [];
      length = 0;
      start = end + 1;
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
    length += chunk.length - start;
    if (length > LINE_LIMIT_BYTES) {
      yield null;
      return;
    }
  }
  if (length > 0) yield Buffer.concat(rest).toString("utf8");
}

export interface ExportOptions extends Whereabouts {
  project?: string;
  organisation: boolean;
}

/** `codespar audit export`: the chain as it is stored, one entry on each line. */
export async function exportAudit(options: ExportOptions, output: NodeJS.WriteStream): Promise<number> {
  const admin = adminEndpoint(options);
  const project = options.project ?? admin.instance?.project;
  if (!options.organisation && project === undefined)
    throw usageFailure("Say which chain: --project NAME or --organisation.");
  const path = options.organisation
    ? "/api/organisation/audit"
    : `/api/projects/${encodeURIComponent(project ?? "")}/audit`;
  const response = await request(admin, "GET", path);
  let entries = 0;
  let last = "";
  try {
    for await (const line of linesIn(response.body ?? new ReadableStream<Uint8Array>())) {
      if (line === null || parseExportLine(line) === null) throw new Error("it sent something that is no audit entry");
      entries += 1;
      last = line;
      if (!output.write(`${line}\n`)) await once(output, "drain");
    }
  } catch (error) {
    throw new Failure(
      `The export broke off after ${entries} entries: ${describeError(error)}. What was written is not whole.`,
      { cause: error },
    );
  }
  const head = parseExportLine(last);
  console.error(
    head === null
      ? "The chain has no entries yet."
      : `${entries} entries. Keep the head ${head.sequence}:${head.hash} elsewhere: with --head it proves that nothing was cut off the end.`,
  );
  return 0;
}

function parseHead(given: string): ChainHead {
  const [, sequence, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(given) ?? [];
  if (sequence === undefined || hash === undefined)
    throw usageFailure("--head takes SEQUENCE:HASH, as `codespar audit export` says it.");
  return { sequence: Number(sequence), hash };
}

/** `codespar audit verify FILE`: needs no CodeSpar, only the file. `head` names an entry that must be in it. */
export async function verifyAudit(path: string, options: { head?: string }): Promise<number> {
  const verifier = createChainVerifier({
    sha256,
    ...(options.head === undefined ? {} : { checkpoint: parseHead(options.head) }),
  });
  let lines = 0;
  let banner = false; // what npm writes before the output of a script: an empty line, then lines that begin with "> "
  try {
    for await (const line of linesIn(createReadStream(path, { highWaterMark: 1 << 20 }))) {
      lines += 1;
      if (lines <= 2 && line?.startsWith("> ")) banner = true;
      const failed = verifier.push(line === null ? null : parseExportLine(line)) !== null;
      if (failed && !(lines === 1 && line?.trim() === "")) break;
    }
  } catch (error) {
    throw new Failure(`${path} cannot be read: ${describeError(error)}.`, { cause: error });
  }
  if (lines === 0) throw new Failure(`${path} is empty: there is nothing to verify.`);
  const result = verifier.finish();
  if (!result.ok) {
    const hint = banner
      ? ` ${path} begins with what npm says before it runs something. Export it again with \`npm run -s codespar -- audit export …\`.`
      : result.sequence === 1 && lines <= 2
        ? ` Is ${path} an export made with \`codespar audit export\`?`
        : "";
    throw new Failure(`NOT INTACT at entry ${result.sequence}: ${plainLine(result.reason)}${hint}`);
  }
  console.log(
    `Intact: ${result.entries} ${result.entries === 1 ? "entry" : "entries"}, head ${result.head.sequence}:${result.head.hash}`,
  );
  return 0;
}
