import { BaseAnthropic } from "@anthropic-ai/sdk/client";
import { jsonSchemaOutputFormat } from "@anthropic-ai/sdk/helpers/json-schema";
import { Messages, type OutputConfig } from "@anthropic-ai/sdk/resources/messages/messages";
import { toJSONSchema } from "zod";
import { Answer } from "./model-answer.ts";
import { toFailure } from "./model-errors.ts";
import type { Completion, CompletionRequest, Model, ModelOptions } from "./model-types.ts";

export * from "./model-types.ts";

/** The model, through Anthropic's SDK. Makes no request until a method is called, and one at most: retrying is the caller's. */
export function createModel(options: ModelOptions): Model {
  return {
    complete: (request) => call(options, request, null),
    async structured({ schema, name, ...request }) {
      // The SDK's own helper for zod brings the whole of zod with it.
      const described = { ...toJSONSchema(schema), title: name } as { type: "object" };
      const { type, schema: format } = jsonSchemaOutputFormat(described);
      const { text, ...answer } = await call(options, request, { format: { type, schema: format } });
      const parsed = schema.safeParse(parseJson(text));
      return parsed.success ? { ok: true, value: parsed.data, ...answer } : { ok: false, text, ...answer };
    },
  };
}

async function call(
  options: ModelOptions,
  request: CompletionRequest,
  outputConfig: OutputConfig | null,
): Promise<Completion> {
  const { model, system, messages, maxTokens, stopSequences, signal, onText } = request;
  const answer = new Answer();
  const silence = watchSilence(options.timeoutMs);
  let failed: unknown;
  try {
    const stream = await connect(options, silence.touch).create(
      {
        model,
        messages,
        max_tokens: maxTokens,
        stream: true,
        ...(system === undefined || system.length === 0 ? {} : { system }),
        ...(stopSequences === undefined ? {} : { stop_sequences: stopSequences }),
        ...(outputConfig === null ? {} : { output_config: outputConfig }),
      },
      { signal: signal ? AbortSignal.any([signal, silence.signal]) : silence.signal },
    );
    for await (const event of stream) {
      const text = answer.take(event);
      if (text !== "") onText?.(text);
    }
  } catch (error) {
    failed = error;
  } finally {
    silence.end();
  }
  // The SDK ends an aborted or broken stream without a word: only a stop reason makes an answer whole, and then it is.
  const { text, stopReason, refusal, usage } = answer;
  if (stopReason !== null) return { text, stopReason, refusal, usage, model: answer.model ?? model };
  throw toFailure(
    failed,
    {
      model,
      answer,
      apiKey: options.apiKey,
      timeoutMs: options.timeoutMs,
      timedOut: silence.signal.aborted,
      aborted: signal?.aborted ?? false,
    },
    Date.now(),
  );
}

/** The Messages API alone: the whole client is twice as much code for the Worker to load. */
function connect(options: ModelOptions, onBytes: () => void): Messages {
  const givenFetch = options.fetch;
  return new Messages(
    new BaseAnthropic({
      apiKey: options.apiKey,
      // Not from the environment: the key given is the one to use.
      authToken: null,
      baseURL: options.baseUrl ?? "https://api.anthropic.com",
      timeout: options.timeoutMs,
      maxRetries: 0,
      logLevel: "off",
      openTelemetry: false,
      // workerd's fetch wants to be called as a plain function, not as a method of the SDK's options.
      fetch: async (url, init) => observed(await (givenFetch ?? globalThis.fetch)(url, init), onBytes),
    }),
  );
}

/** The same response; `onBytes` hears whenever some of it arrives, also of the pings that the SDK keeps to itself. */
function observed(response: Response, onBytes: () => void): Response {
  onBytes();
  if (response.body === null) return response;
  const body = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        onBytes();
        controller.enqueue(chunk);
      },
    }),
  );
  return new Response(body, response);
}

/** A signal that aborts when nothing was heard for `timeoutMs`. */
function watchSilence(timeoutMs: number): { signal: AbortSignal; touch: () => void; end: () => void } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  let timer = setTimeout(abort, timeoutMs);
  return {
    signal: controller.signal,
    touch() {
      clearTimeout(timer);
      timer = setTimeout(abort, timeoutMs);
    },
    end: () => clearTimeout(timer),
  };
}

/** Undefined when it is no JSON, which no schema of an object takes. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
