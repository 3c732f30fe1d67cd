/** The names guards.ts knows, all in lower case. */

const CI = "CI workflow";
const SECURITY = "security";
const CREDENTIALS = "credentials";
const PERMISSIONS = "permissions";
const MIGRATION = "data migration";
const INFRASTRUCTURE = "infrastructure";
const CODESPAR = "CodeSpar's own configuration";

export const KEY_MATERIAL: ReadonlySet<string> = new Set(
  "pem key p8 p12 pfx jks keystore kdbx keytab crt cer der asc gpg ppk".split(" "),
);

export const DOCUMENTATION: ReadonlySet<string> = new Set("md mdx markdown rst adoc asciidoc txt".split(" "));

/** Endings of what configures, as against source code that may only speak of it. */
export const CONFIGURATION: ReadonlySet<string> = new Set(
  "yml yaml json jsonc toml ini cfg conf hcl tpl tmpl j2 sh service env properties xml".split(" "),
);

const named = (reason: string, names: string): [string, string][] => names.split(" ").map((name) => [name, reason]);

/** By the file's whole name, wherever it is. */
export const FILES: ReadonlyMap<string, string> = new Map([
  ...named(
    CI,
    ".gitlab-ci.yml .gitlab-ci.yaml .travis.yml .drone.yml .drone.yaml .cirrus.yml appveyor.yml .appveyor.yml bitbucket-pipelines.yml",
  ),
  ...named(
    CI,
    "cloudbuild.yaml cloudbuild.yml buildspec.yml buildspec.yaml .pre-commit-config.yaml lefthook.yml .woodpecker.yml .woodpecker.yaml",
  ),
  ...named(
    SECURITY,
    ".gitmodules .sops.yaml .sops.yml .gitleaks.toml .gitleaksignore .trivyignore .snyk .dependabot.yml dependabot.yml dependabot.yaml",
  ),
  ...named(
    CREDENTIALS,
    ".npmrc .yarnrc .yarnrc.yml .pypirc .netrc .htpasswd .git-credentials .dockercfg .envrc .pgpass .my.cnf known_hosts authorized_keys",
  ),
  ...named(PERMISSIONS, "codeowners firestore.rules storage.rules database.rules.json sudoers .htaccess"),
  ...named(
    INFRASTRUCTURE,
    "containerfile chart.yaml helmfile.yaml kustomization.yaml kustomization.yml vagrantfile procfile caddyfile nginx.conf skaffold.yaml",
  ),
  ...named(
    INFRASTRUCTURE,
    "wrangler.toml wrangler.json wrangler.jsonc cdk.json samconfig.toml fly.toml render.yaml vercel.json netlify.toml app.yaml",
  ),
  ...named(INFRASTRUCTURE, "railway.json railway.toml ansible.cfg terragrunt.hcl .terraform.lock.hcl"),
]);

type Pattern = { pattern: RegExp; reason: string };
const pattern = (reason: string, expression: RegExp): Pattern => ({ pattern: expression, reason });

/** By the form of the file's name, wherever it is. Names have at most 255 characters, and nothing here nests repetitions. */
export const PATTERNS: readonly Pattern[] = [
  pattern(CI, /^jenkinsfile(?:$|\.)/),
  pattern(CI, /^azure-pipelines[^/]*\.ya?ml$/),
  // `.env.example` too: it is where a real value ends up by mistake.
  pattern(CREDENTIALS, /^\.env(?:$|[.-])|\.env$/),
  pattern(CREDENTIALS, /^id_(?:rsa|dsa|ecdsa|ed25519)(?:$|[._-])/),
  pattern(
    CREDENTIALS,
    /^\.?(?:[a-z0-9-]+[._-])?(?:secrets?|credentials?)(?:[._-][a-z0-9-]+)?(?:\.(?:ya?ml|json|toml|ini|properties|enc|xml|cfg|conf|tfvars))?$/,
  ),
  pattern(
    PERMISSIONS,
    /^(?:[a-z0-9-]+[._-])?(?:rbac|iam|acl|roles|permissions|polic(?:y|ies))(?:[._-][a-z0-9-]+)?\.(?:ya?ml|json|toml|csv|conf)$/,
  ),
  pattern(PERMISSIONS, /\.(?:rego|cedar|polar)$/),
  // Flyway: V1__create.sql, U1__…, R__….
  pattern(MIGRATION, /^(?:[vu]\d[\d._]*|r)__.*\.sql$/),
  // Numbered or dated: 0003_add_users.sql.
  pattern(MIGRATION, /^\d{3,14}[_-].*\.sql$/),
  pattern(INFRASTRUCTURE, /^dockerfile(?:$|[.-])|\.dockerfile$/),
  pattern(INFRASTRUCTURE, /^(?:docker-)?compose(?:[.-][a-z0-9.-]+)?\.ya?ml$/),
  pattern(INFRASTRUCTURE, /\.(?:tf|tfvars|tf\.json|tfstate|hcl|bicep|nomad)$/),
  pattern(
    INFRASTRUCTURE,
    /^(?:serverless(?:[.-][a-z0-9-]+)?\.(?:ya?ml|json|[cm]?[jt]s)|pulumi(?:\.[a-z0-9-]+)?\.ya?ml)$/,
  ),
];

/**
 * By a folder on the way. `every`: each file in it, documentation too; `all`: each file but documentation; `configuration`: at the
 * repository's root all, elsewhere only configuration (`src/kubernetes/client.ts` is source); `at the root`: only there.
 */
export type Tree = { reason: string; files: "every" | "all" | "configuration" | "at the root" };

const trees = (reason: string, files: Tree["files"], names: string): [string, Tree][] =>
  names.split(" ").map((name) => [name, { reason, files }]);

export const TREES: ReadonlyMap<string, Tree> = new Map([
  ...trees(CI, "all", ".circleci .buildkite .teamcity .woodpecker .azure-pipelines .drone .husky .githooks"),
  ...trees(CREDENTIALS, "every", "secrets .secrets .ssh .aws .gnupg .kube .docker"),
  ...trees(CREDENTIALS, "all", "credentials"),
  ...trees(SECURITY, "all", "security"),
  ...trees(PERMISSIONS, "all", "permissions rbac"),
  ...trees(MIGRATION, "all", "migrations migration alembic flyway liquibase"),
  ...trees(INFRASTRUCTURE, "configuration", "terraform k8s kubernetes helm ansible pulumi cloudformation nginx"),
  ...trees(INFRASTRUCTURE, "at the root", "infra infrastructure deploy deployment ops"),
]);

/** What a source file is called, up to its first dot, when it defines who may do what. */
export const CODE_OR_DATA_NAMES: ReadonlySet<string> = new Set(["permission", "permissions", "rbac", "acl", "iam"]);

/** Folders of which only some folders or files directly in them are guarded. */
export const PARTS: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  [
    ".github",
    new Map([
      ["workflows", CI],
      ["actions", CI],
      ["settings.yml", PERMISSIONS],
      ["settings.yaml", PERMISSIONS],
    ]),
  ],
  [".gitlab", new Map([["ci", CI]])],
  [
    ".codespar",
    new Map([
      ["config.json", CODESPAR],
      ["policies.json", CODESPAR],
    ]),
  ],
  ["db", new Map([["migrate", MIGRATION]])],
]);
