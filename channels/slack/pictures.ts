import type { NormalizedMessage } from "#core/message.ts";
import type { FetchedAttachment } from "../adapter.ts";
import { SlackFile } from "./payloads.ts";

type Attachment = NormalizedMessage["attachments"][number];
type Skipped = { name: string; reason: string };

/** What agents look at (product, "Pictures"). */
const PICTURE_TYPES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const MAX_PICTURE_BYTES = 4 * 1024 * 1024;
const MAX_FILES = 20;
const FETCH_WITHIN_MS = 15_000;

/** The pictures among a message's files, by reference, and the others by name with the reason why they are skipped. */
export function readFiles(files: readonly unknown[]): { attachments: Attachment[]; skipped: Skipped[] } {
  const attachments: Attachment[] = [];
  const skipped: Skipped[] = [];
  for (const given of files.slice(0, MAX_FILES)) {
    const file = SlackFile.safeParse(given);
    if (!file.success) continue;
    const name = (file.data.name || file.data.title || file.data.id).slice(0, 200);
    const { mimetype, size, url_private: url } = file.data;
    if (!PICTURE_TYPES.has(mimetype ?? ""))
      skipped.push({ name, reason: "only PNG, JPEG, GIF and WEBP are looked at" });
    else if ((size ?? 0) > MAX_PICTURE_BYTES) skipped.push({ name, reason: "it is larger than 4 MB" });
    else if (!url || url.length > 2000) skipped.push({ name, reason: "Slack does not give access to it" });
    else
      attachments.push({ name, mediaType: mimetype ?? "", bytes: Math.max(0, Math.floor(size ?? 0)), reference: url });
  }
  if (files.length > MAX_FILES)
    skipped.push({ name: `${files.length - MAX_FILES} more`, reason: "20 files are looked at" });
  return { attachments, skipped };
}

/** Slack's own hosts, and those of the API that the deployment was told to use (GovSlack has another domain). */
const isOf = (host: string, domain: string): boolean => host === domain || host.endsWith(`.${domain}`);

/** Whether the bot's token may be sent to this address. */
export function mayReceiveToken(address: string, apiUrl: string): boolean {
  try {
    const url = new URL(address);
    const api = new URL(apiUrl);
    if (url.username !== "" || url.password !== "") return false;
    if (url.origin === api.origin) return true;
    const secure = url.protocol === "https:" && url.port === "";
    return (
      secure && (isOf(url.hostname, "slack.com") || (api.protocol === "https:" && isOf(url.hostname, api.hostname)))
    );
  } catch {
    return false;
  }
}

const startsWith = (content: Uint8Array, bytes: readonly number[], at = 0): boolean =>
  bytes.every((byte, index) => content[at + index] === byte);
const RIFF = [0x52, 0x49, 0x46, 0x46];
const WEBP = [0x57, 0x45, 0x42, 0x50];

/** The type a picture has by its first bytes, whatever it is called. */
function sniff(content: Uint8Array): string | null {
  if (startsWith(content, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return "image/png";
  if (startsWith(content, [0xff, 0xd8, 0xff])) return "image/jpeg";
  if (startsWith(content, [0x47, 0x49, 0x46, 0x38])) return "image/gif";
  return startsWith(content, RIFF) && startsWith(content, WEBP, 8) ? "image/webp" : null;
}

const refused = (reason: string, retryable = false): FetchedAttachment => ({ ok: false, retryable, reason });
const NO_ACCESS =
  "Slack did not hand out the file but a page to sign in. Give the app the scope files:read, reinstall it, and invite the bot to the channel.";

/** The body up to the limit, or null when there is more: a length that is announced can be wrong. */
async function readUpTo(response: Response, limit: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
    bytes += next.value.byteLength;
    if (bytes > limit) {
      await reader?.cancel();
      return null;
    }
    chunks.push(next.value);
  }
  const content = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    content.set(chunk, at);
    at += chunk.byteLength;
  }
  return content;
}

/**
 * Downloads a picture that a message refers to. The token goes to Slack's file hosts and `apiUrl` only, and along no redirect.
 * Failures are values, in words for the person who sent it.
 */
export async function fetchSlackAttachment(
  reference: string,
  { token, apiUrl }: { token: string; apiUrl: string },
): Promise<FetchedAttachment> {
  if (!mayReceiveToken(reference, apiUrl))
    return refused("The file is not on one of Slack's hosts; it was not fetched.");
  try {
    const response = await fetch(reference, {
      headers: { authorization: `Bearer ${token}` },
      redirect: "manual",
      signal: AbortSignal.timeout(FETCH_WITHIN_MS),
    });
    // Without the right Slack sends people to its page to sign in.
    if (response.status >= 300 && response.status < 400) return refused(NO_ACCESS);
    if (response.status === 401 || response.status === 403) return refused(NO_ACCESS);
    if (response.status === 404 || response.status === 410) return refused("The file is not there any more.");
    if (!response.ok) return refused(`Slack answered ${response.status} when asked for the file.`, true);
    const content = await readUpTo(response, MAX_PICTURE_BYTES);
    if (content === null) return refused("The picture is larger than 4 MB.");
    const mediaType = sniff(content);
    if (mediaType !== null) return { ok: true, mediaType, content };
    return response.headers.get("content-type")?.startsWith("text/html")
      ? refused(NO_ACCESS)
      : refused("The file is no PNG, JPEG, GIF or WEBP picture.");
  } catch {
    return refused("Slack did not hand out the file in time.", true);
  }
}
