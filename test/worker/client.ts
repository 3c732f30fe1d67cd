import { env, exports } from "cloudflare:workers";
import type { TerminalEvent, TerminalMessage } from "#core/terminal-protocol.ts";
import { issueTerminalToken } from "#worker/tokens.ts";
import { eventually, finalReply, newRepository, unique } from "./world.ts";

export const ADMINISTRATOR = env.API_TOKEN;
export const tokenOf = (account: string, name = account): string =>
  issueTerminalToken({ account, name }, env.API_TOKEN);

/** One request to the Worker. */
export const request = (route: string, init: RequestInit & { token?: string | null } = {}): Promise<Response> => {
  const [method = "GET", path = ""] = route.split(" ");
  const { token = ADMINISTRATOR, ...rest } = init;
  const headers = new Headers(rest.headers);
  if (token !== null) headers.set("authorization", `Bearer ${token}`);
  return exports.default.fetch(new Request(`http://codespar.test${path}`, { ...rest, method, headers }));
};

export const post = (path: string, body: unknown, token: string | null = ADMINISTRATOR): Promise<Response> =>
  request(`POST ${path}`, { token, body: typeof body === "string" ? body : JSON.stringify(body) });

/** What an answer says went wrong. */
export const errorOf = async (response: Response) =>
  (await response.json<{ error: { code: string; message: string } }>()).error;

/** A project of the default organisation, and an account whose conversation `main` is linked to it. */
export async function setUp({ onGitHub = false } = {}) {
  const repository = onGitHub ? await newRepository() : `acme/${unique("shop")}`;
  const name = repository.split("/")[1] ?? "";
  const account = unique("anna");
  const response = await post("/api/setup", {
    account,
    name: "Anna",
    project: { name, repository },
    conversation: "main",
  });
  if (!response.ok) throw new Error(await response.text());
  return { repository, project: name, account, token: tokenOf(account, "Anna") };
}

/** Gives an account every right, as whoever runs CodeSpar can. */
export async function makeOwner({ account, token }: { account: string; token: string }): Promise<void> {
  const { code } = await (await post("/api/claim-codes", {})).json<{ code: string }>();
  await post("/api/messages", { id: "claim", conversation: "main", text: `claim ${code}` }, token);
  await finalReply({ account, name: account, conversation: "main" }, "claim");
}

/** A connected terminal and the frames that it got. */
export async function connect(token: string, conversation = "main", headers: Record<string, string> = {}) {
  const response = await request(`GET /api/terminal?conversation=${conversation}`, {
    token,
    headers: { upgrade: "websocket", ...headers },
  });
  const socket = response.webSocket;
  if (!socket) throw new Error(`no WebSocket: ${response.status} ${await response.text()}`);
  const events: TerminalEvent[] = [];
  let closed = false;
  socket.addEventListener("message", ({ data }) => void events.push(JSON.parse(String(data)) as TerminalEvent));
  socket.addEventListener("close", () => void (closed = true));
  socket.accept();
  const send = (frame: unknown) =>
    socket.send(typeof frame === "string" || frame instanceof ArrayBuffer ? frame : JSON.stringify(frame));
  const wait = <Found>(find: () => Found | undefined): Promise<Found> =>
    eventually(() => {
      const found = find();
      if (found === undefined) throw new Error(`not yet among ${events.map(({ type }) => type).join(", ")}`);
      return found;
    });
  return {
    events,
    socket,
    send,
    isClosed: () => closed,
    /** The first frame of a kind that fits. */
    event: <Type extends TerminalEvent["type"]>(
      type: Type,
      fits: (event: Extract<TerminalEvent, { type: Type }>) => boolean = () => true,
    ) =>
      wait(() =>
        events.find(
          (event): event is Extract<TerminalEvent, { type: Type }> => event.type === type && fits(event as never),
        ),
      ),
    finalOf: (id: string): Promise<TerminalMessage> =>
      wait(() =>
        events.find(
          (event): event is TerminalMessage =>
            event.type === "message" && event.kind === "final" && event.inReplyTo === id,
        ),
      ),
    ack: ({ id, revision }: TerminalMessage) => send({ type: "ack", id, revision }),
    async ping(): Promise<void> {
      const before = events.filter(({ type }) => type === "pong").length;
      send({ type: "ping" });
      await wait(() => (events.filter(({ type }) => type === "pong").length > before ? true : undefined));
    },
  };
}
