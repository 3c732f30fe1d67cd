import { Hono } from "hono";
import type { ApiEnv } from "../auth.ts";
import { errorBody } from "../errors.ts";

/** The platforms whose webhooks have their place here. Each becomes real with its adapter and its secret. */
const PLATFORMS = new Set(["slack", "discord", "telegram", "whatsapp", "github"]);

/** A platform without its secret is off: never "accept unsigned" (design: policy, "Ten layers"). */
export const webhooks = new Hono<ApiEnv>().post("/:platform", (c) => {
  const platform = c.req.param("platform");
  if (!PLATFORMS.has(platform)) return c.json(errorBody("not_found", "There is nothing here."), 404);
  return c.json(errorBody("not_configured", `${platform} is not configured.`), 503);
});
