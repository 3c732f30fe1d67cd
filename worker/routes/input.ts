import type { ZodType, output, ZodError } from "zod";
import type { Context } from "hono";
import { InvalidInputError } from "#core/errors.ts";

/** The request's JSON body as `schema` wants it; InvalidInputError says what is wrong with it. */
export async function jsonBody<T extends ZodType>(c: Context, schema: T): Promise<output<T>> {
  let body: unknown;
  try {
    body = JSON.parse(await c.req.text());
  } catch (cause) {
    throw new InvalidInputError("The body is not JSON.", { cause });
  }
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new InvalidInputError(inWords(parsed.error), { cause: parsed.error });
  return parsed.data;
}

/** What is wrong with which member, in one line. */
const inWords = ({ issues }: ZodError): string =>
  issues.map(({ path, message }) => `${path.length > 0 ? path.join(".") : "the body"}: ${message}`).join("; ");
