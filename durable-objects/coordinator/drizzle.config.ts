import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  driver: "durable-sqlite",
  casing: "snake_case",
  schema: "./durable-objects/coordinator/schema.ts",
  out: "./durable-objects/coordinator/migrations",
});
