import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "node",
          // One project after the other: they would compete for the machine.
          sequence: { groupOrder: 0 },
          include: ["test/{core,channels,clients,cli,emulators,tooling,agents-pure}/**/*.test.ts"],
          testTimeout: 30_000,
        },
      },
      {
        // Inside workerd, with real Durable Objects, Workflows and D1, against the GitHub emulator out here.
        plugins: [
          cloudflareTest(async ({ inject }) => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: {
                API_TOKEN: "administrators-token",
                GITHUB_API_URL: inject("gitHubUrl"),
                GITHUB_TOKEN: "write-token",
                GITHUB_CONTROL_URL: inject("gitHubControlUrl"),
                WATCHDOG_MS: "15000",
                D1_MIGRATIONS: await readD1Migrations("./migrations"),
              },
            },
          })),
        ],
        test: {
          name: "workerd",
          sequence: { groupOrder: 1 },
          include: ["test/{worker,db,agents,durable-objects}/**/*.test.ts"],
          globalSetup: ["./test/workerd/start-github.ts"],
          setupFiles: ["./test/worker/apply-migrations.ts"],
          // Most of the time is spent waiting, so more than the default of one on two cores.
          maxWorkers: 2,
          testTimeout: 30_000,
        },
      },
      {
        // Whole stories over real processes: one file at a time, so that they do not compete for the machine.
        test: {
          name: "journeys",
          sequence: { groupOrder: 2 },
          include: ["test/journeys/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
