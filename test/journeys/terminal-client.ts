import { TerminalEvent, type TerminalMessage } from "#core/terminal-protocol.ts";

const RECONNECT_AFTER_MS = 100;

/**
 * A terminal as the protocol wants it: connects again when it is cut off, sends again what was not accepted, acknowledges
 * what it shows. It keeps everything it was shown, repeats included, for tests to count.
 */
export class TerminalClient {
  readonly shown: TerminalMessage[] = [];
  readonly accepted = new Set<string>();
  readonly errors: { id: string; message: string }[] = [];
  readonly #url: string;
  readonly #token: string;
  readonly #unaccepted = new Map<string, string>();
  readonly #watchers = new Set<() => void>();
  #socket: WebSocket | undefined;
  #closed = false;
  /** Called with each message before it is acknowledged. */
  onShown: (message: TerminalMessage) => void = () => undefined;
  onAccepted: (id: string) => void = () => undefined;

  constructor(url: string, token: string, conversation: string) {
    this.#url = `${url.replace(/^http/, "ws")}/api/terminal?conversation=${conversation}`;
    this.#token = token;
    this.#connect();
  }

  #connect(): void {
    if (this.#closed) return;
    const socket = new WebSocket(this.#url, { headers: { authorization: `Bearer ${this.#token}` } });
    this.#socket = socket;
    socket.addEventListener("open", () => {
      for (const [id, text] of this.#unaccepted) this.#send({ type: "message", id, text });
    });
    socket.addEventListener("message", ({ data }) => this.#take(TerminalEvent.parse(JSON.parse(String(data)))));
    let again = false;
    const reconnect = () => {
      if (again) return;
      again = true;
      setTimeout(() => this.#connect(), RECONNECT_AFTER_MS);
    };
    socket.addEventListener("close", reconnect);
    socket.addEventListener("error", reconnect);
  }

  #take(event: TerminalEvent): void {
    if (event.type === "accepted") {
      this.#unaccepted.delete(event.id);
      this.accepted.add(event.id);
      this.onAccepted(event.id);
    } else if (event.type === "error") {
      this.errors.push(event);
      // Told to send it again; a refusal for good has no chance to be accepted either, and is for the test to see.
      const text = this.#unaccepted.get(event.id);
      if (text !== undefined) setTimeout(() => this.#send({ type: "message", id: event.id, text }), RECONNECT_AFTER_MS);
    } else if (event.type === "message") {
      this.shown.push(event);
      this.onShown(event);
      this.#send({ type: "ack", id: event.id, revision: event.revision });
    }
    for (const watcher of this.#watchers) watcher();
  }

  #send(frame: unknown): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  say(id: string, text: string): void {
    this.#unaccepted.set(id, text);
    this.#send({ type: "message", id, text });
  }

  /** The final messages shown for a delivery, each counted once however often it was sent. */
  finals(id: string): TerminalMessage[] {
    const finals = this.shown.filter(({ kind, inReplyTo }) => kind === "final" && inReplyTo === id);
    return [...new Map(finals.map((message) => [`${message.id} ${message.revision}`, message])).values()];
  }

  /** Waits for the final message of a delivery. */
  async final(id: string, withinMs = 60_000): Promise<TerminalMessage> {
    return this.until(() => this.finals(id)[0], withinMs, `the final reply to ${id}`);
  }

  /** Waits until `look` finds something, looking after every frame. */
  until<T>(look: () => T | undefined, withinMs: number, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const watcher = () => {
        const found = look();
        if (found === undefined) return;
        done();
        resolve(found);
      };
      const timer = setTimeout(() => {
        done();
        reject(
          new Error(`Waited ${withinMs} ms in vain for ${what}. Last shown: ${JSON.stringify(this.shown.at(-1))}`),
        );
      }, withinMs);
      const done = () => {
        clearTimeout(timer);
        this.#watchers.delete(watcher);
      };
      this.#watchers.add(watcher);
      watcher();
    });
  }

  close(): void {
    this.#closed = true;
    this.#socket?.close();
  }
}
