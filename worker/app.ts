import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { type ApiEnv, authenticated } from "./auth.ts";
import { errorBody, onError } from "./errors.ts";
import { administration } from "./routes/administration.ts";
import { messages } from "./routes/messages.ts";
import { webhooks } from "./routes/webhooks.ts";

const MAX_BODY_BYTES = 1024 * 1024;

/** The edge: everything that comes in over HTTP. */
export const app = new Hono<ApiEnv>()
  .use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: (c) => c.json(errorBody("too_large", "A request may have 1 MiB."), 413),
    }),
  )
  .get("/healthz", (c) => c.json({ status: "ok" }))
  .route("/webhooks", webhooks)
  .use("/api/*", authenticated)
  .route("/api", messages)
  .route("/api", administration)
  .notFound((c) => c.json(errorBody("not_found", "There is nothing here."), 404))
  .onError(onError);
