import { call, type Endpoint, endpointUrl, notThere, request, TokenAnswer } from "./api.ts";
import { Failure } from "./failure.ts";
import { endOfInstance, type ReadyInstance, runningInstance } from "./instance.ts";
import { localApiToken, openStateFolder, type StateFolder } from "./state-folder.ts";

export interface Whereabouts {
  url?: string;
  token?: string;
}

const DEFAULT_URL = "http://127.0.0.1:8787";

const isLocal = (url: string, instance: ReadyInstance | undefined): boolean =>
  instance !== undefined && endpointUrl(instance.url) === url;

/** The running CodeSpar of this machine, unless another one is meant. */
function localInstance({ url }: Whereabouts, folder: StateFolder): ReadyInstance | undefined {
  const instance = runningInstance(folder);
  return url === undefined || isLocal(endpointUrl(url), instance) ? instance : undefined;
}

/** Whom to ask with an admin token: --url and --token, CODESPAR_API_TOKEN, or what runs on this machine. */
export function adminEndpoint(where: Whereabouts): Endpoint & { instance: ReadyInstance | undefined } {
  const folder = openStateFolder();
  const instance = localInstance(where, folder);
  const url = where.url === undefined ? instance?.url : where.url;
  if (url === undefined) throw notThere(DEFAULT_URL);
  const token = where.token ?? process.env["CODESPAR_API_TOKEN"] ?? (instance ? localApiToken(folder) : undefined);
  if (token === undefined) throw new Failure(`Give the admin token of ${url} with --token or CODESPAR_API_TOKEN.`);
  return { url: endpointUrl(url), token, instance };
}

/** A terminal token of the local CodeSpar for `account`. `admin` is its endpoint with the admin token. */
export async function localTerminalToken(admin: Endpoint, account: string): Promise<string> {
  return (await call(TokenAnswer, admin, "POST", "/api/tokens", { account, name: account })).token;
}

export interface TerminalEndpoint {
  /** With a terminal token. */
  endpoint: Endpoint;
  conversation: string;
  folder: StateFolder;
  /** For what runs on this machine: aborts, with a `Failure` as its reason, when that has ended. */
  ended?: AbortSignal;
}

/** Where a terminal chats. */
export async function terminalEndpoint(where: Whereabouts & { conversation?: string }): Promise<TerminalEndpoint> {
  const folder = openStateFolder();
  const instance = localInstance(where, folder);
  const url = where.url === undefined ? instance?.url : endpointUrl(where.url);
  if (url === undefined) throw notThere(DEFAULT_URL);
  const conversation = where.conversation ?? instance?.conversation ?? "main";
  const given = where.token ?? process.env["CODESPAR_TOKEN"];
  const common = { conversation, folder, ...(instance && { ended: endOfInstance(folder) }) };
  if (given !== undefined) return { endpoint: { url, token: given }, ...common };
  if (instance === undefined) {
    await request({ url, token: "" }, "GET", "/healthz");
    throw new Failure(
      `Give your terminal token of ${url} with --token or CODESPAR_TOKEN. Its operator makes one with \`codespar token NAME\`.`,
    );
  }
  const token = await localTerminalToken({ url, token: localApiToken(folder) }, instance.account);
  return { endpoint: { url, token }, ...common };
}
