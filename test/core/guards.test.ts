import { describe, expect, it, test } from "vitest";
import { guardedPaths, riskOfChange } from "#core/guards.ts";

const GUARDED: Record<string, string> = {
  "CI workflow": `.github/workflows/ci.yml .GitHub/Workflows/CI.YML .github/actions/setup/action.yml .gitlab-ci.yml sub/.gitlab-ci.yml
    .gitlab/ci/build.yml Jenkinsfile ci/Jenkinsfile.release .circleci/config.yml azure-pipelines.yml azure-pipelines-release.yaml
    .buildkite/pipeline.yml .travis.yml bitbucket-pipelines.yml .drone.yml .husky/pre-commit ./.github/workflows/x.yml
    .github\\workflows\\ci.yml cloudbuild.yaml`,
  "CodeSpar's own configuration": ".codespar/config.json .CodeSpar/Config.json",
  credentials: `.env .env.local .env.production .env.example config/.env app/prod.env .npmrc id_rsa .ssh/config keys/id_ed25519.pub secrets/api.txt
    config/secrets/db.yaml src/secrets/readme.md config/secrets.yml secrets.json credentials.json aws_credentials .aws/config .kube/config .netrc
    client_secret.json`,
  "key or certificate": "server.pem tls/server.key certs/ca.crt upload.jks app.p12",
  permissions: `CODEOWNERS .github/CODEOWNERS docs/CODEOWNERS .github/settings.yml firestore.rules policy/authz.rego auth/admin.cedar rbac.yaml
    config/permissions.json iam-policy.json bucket_policy.json src/permissions.ts core/rbac.py src/permissions/table.ts config/roles.yml`,
  security: "src/security/headers.ts .gitmodules .sops.yaml .github/dependabot.yml",
  "data migration": `migrations/0001_init.sql db/migrate/20240101_users.rb app/migrations/0002_auto.py prisma/migrations/1/migration.sql
    alembic/versions/abc.py src/migration/AddUsers.ts drizzle/0000_first.sql V1__create.sql sql/R__views.sql DB/MIGRATE/1.rb`,
  infrastructure: `main.tf infra/vpc.tf prod.tfvars terragrunt.hcl Dockerfile docker/api.Dockerfile Dockerfile.dev docker-compose.yml
    docker-compose.override.yaml compose.yaml k8s/deployment.yaml apps/web/k8s/service.yml helm/web/values.yaml charts/web/Chart.yaml
    kustomization.yaml wrangler.toml wrangler.jsonc serverless.yml serverless.ts Pulumi.yaml Pulumi.prod.yaml ansible/site.yml ansible.cfg
    infra/index.ts deploy/run.sh terraform/run.ts nginx.conf fly.toml Procfile main.bicep`,
};

const ORDINARY = `src/auth/login.ts src/login.ts src/index.ts README.md docs/deployment.md docs/migrations/guide.md package.json package-lock.json
  src/charts/line.ts src/infrastructure/repository.ts src/kubernetes/client.ts src/helm/parse.ts src/environment.ts src/env.ts
  src/secretary.ts src/token.ts src/keyboard.ts src/monkey.tsx src/workflows/run.ts workflows/run.ts github/workflows.md
  .github/ISSUE_TEMPLATE.md .codespar/simulated/task-7k2m9qxw.md src/compose.ts lib/composer.json src/policy.ts queries/report.sql src/roles.tsx
  src/docker.ts docs/security/overview.md src/permission-dialog.tsx src/migrate.ts terraform.md a/b/deploy/x.ts src/db/index.ts compose.md`;

const list = (text: string): string[] => text.trim().split(/\s+/);

describe("a guarded change", () => {
  for (const [reason, paths] of Object.entries(GUARDED)) {
    test.each(list(paths))(`${reason}: %s`, (path) => {
      expect(guardedPaths([path])).toEqual([{ path, reason }]);
    });
  }
});

describe("an ordinary change", () => {
  test.each(list(ORDINARY))("%s", (path) => {
    expect(guardedPaths([path])).toEqual([]);
  });
});

describe("guarded paths", () => {
  it("are found among others, in their order", () => {
    const paths = ["src/a.ts", "Dockerfile", "README.md", ".github/workflows/ci.yml"];
    expect(guardedPaths(paths).map(({ path }) => path)).toEqual(["Dockerfile", ".github/workflows/ci.yml"]);
  });

  it("are none where there is no file", () => {
    expect(guardedPaths(["", "/", "./"])).toEqual([]);
  });

  it("are found behind a hundred thousand folders", () => {
    expect(guardedPaths([`${"a/".repeat(100_000)}Dockerfile`])).toHaveLength(1);
  });
});

describe("the risk of a change", () => {
  test.each<[string, string]>([
    ["low", "README.md"],
    ["low", "README.md docs/a.mdx docs/picture.png LICENSE"],
    ["low", "src/login.test.ts tests/unit/a.py pkg/x_test.go test_a.py __tests__/a.js"],
    ["low", ".codespar/simulated/task-7k2m9qxw.md"],
    ["medium", "src/login.ts"],
    ["medium", "src/auth/login.ts src/login.test.ts"],
    ["medium", "requirements.txt"],
    ["medium", "CMakeLists.txt"],
    ["medium", "docs/conf.py"],
    ["medium", "AGENTS.md"],
    ["medium", "CLAUDE.md"],
    ["medium", ".claude/commands/a.md"],
    ["medium", "src/testing.ts"],
    ["medium", ""],
    ["high", "README.md Dockerfile"],
    ["high", "tests/migrations/0001.sql"],
    ["high", "tests/fixtures/server.key"],
  ])("is %s for %s", (risk, paths) => {
    expect(riskOfChange(paths === "" ? [] : list(paths))).toBe(risk);
  });
});
