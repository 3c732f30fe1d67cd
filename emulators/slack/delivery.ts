import { createHmac } from "node:crypto";

/** One try to hand a request to the app. `status` is null when no answer came in time. */
export type Delivery = {
  kind: "event" | "interaction" | "command";
  /** The event's id, or the interaction's trigger. */
  id: string;
  attempt: number;
  status: number | null;
  answer: string;
};

export type DeliveryOptions = {
  signingSecret: string;
  /** Slack waits three seconds for an answer. */
  answerWithinMs: number;
  /** Slack tries an event again at once, after a minute and after five; these times are multiplied by it. */
  retryScale: number;
};

const RETRY_AFTER_MS = [0, 60_000, 300_000];

type SignedRequest = { body: string; headers: Record<string, string> };

/** A request signed as Slack signs (docs.slack.dev, "Verifying requests from Slack"). `now` is milliseconds since the epoch. */
export function signAsSlack(body: string, contentType: string, signingSecret: string, now: number): SignedRequest {
  const timestamp = String(Math.floor(now / 1000));
  const signature = createHmac("sha256", signingSecret).update(`v0:${timestamp}:${body}`).digest("hex");
  return {
    body,
    headers: {
      "content-type": contentType,
      "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
      "x-slack-request-timestamp": timestamp,
      "x-slack-signature": `v0=${signature}`,
    },
  };
}

/** Hands requests to the app, and keeps what became of each try. */
export class Courier {
  readonly deliveries: Delivery[] = [];
  readonly #options: DeliveryOptions;
  readonly #closing = new AbortController();

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Hands over an event until it is taken, with Slack's retries. Resolves with every try made. */
  async event(url: string, payload: Record<string, unknown>): Promise<Delivery[]> {
    const tries: Delivery[] = [];
    const id = typeof payload["event_id"] === "string" ? payload["event_id"] : "url_verification";
    let reason = "";
    for (let attempt = 0; attempt <= RETRY_AFTER_MS.length; attempt++) {
      const waitMs = (RETRY_AFTER_MS[attempt - 1] ?? 0) * this.#options.retryScale;
      if (!(await this.#wait(waitMs))) break;
      const again = { "x-slack-retry-num": String(attempt), "x-slack-retry-reason": reason };
      const { delivery, failed, final } = await this.#try(
        url,
        { kind: "event", id, attempt },
        JSON.stringify(payload),
        "application/json",
        attempt === 0 ? {} : again,
      );
      tries.push(delivery);
      if (failed === null || final) break;
      reason = failed;
    }
    return tries;
  }

  /** Interactions and commands are handed over once. */
  async form(
    url: string,
    kind: "interaction" | "command",
    id: string,
    fields: Record<string, string>,
  ): Promise<Delivery> {
    const body = new URLSearchParams(fields).toString();
    return (await this.#try(url, { kind, id, attempt: 0 }, body, "application/x-www-form-urlencoded", {})).delivery;
  }

  close(): void {
    this.#closing.abort();
  }

  async #try(
    url: string,
    of: Pick<Delivery, "kind" | "id" | "attempt">,
    body: string,
    contentType: string,
    more: Record<string, string>,
  ): Promise<{ delivery: Delivery; failed: string | null; final: boolean }> {
    const delivery: Delivery = { ...of, status: null, answer: "" };
    this.deliveries.push(delivery);
    const signed = signAsSlack(body, contentType, this.#options.signingSecret, Date.now());
    const timeout = AbortSignal.timeout(this.#options.answerWithinMs);
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { ...signed.headers, ...more },
        body,
        signal: AbortSignal.any([timeout, this.#closing.signal]),
      });
      const answer = await response.text();
      delivery.status = response.status;
      delivery.answer = answer;
      return {
        delivery,
        failed: response.ok ? null : "http_error",
        final: response.headers.get("x-slack-no-retry") === "1",
      };
    } catch {
      return {
        delivery,
        failed: timeout.aborted ? "http_timeout" : "connection_failed",
        final: this.#closing.signal.aborted,
      };
    }
  }

  /** False when the emulator closed meanwhile. */
  #wait(ms: number): Promise<boolean> {
    const { signal } = this.#closing;
    if (ms <= 0 || signal.aborted) return Promise.resolve(!signal.aborted);
    return new Promise((done) => {
      const stop = () => {
        clearTimeout(timer);
        done(false);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", stop);
        done(true);
      }, ms);
      signal.addEventListener("abort", stop, { once: true });
    });
  }
}
