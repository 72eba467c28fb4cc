/** Which module may import which (docs/architecture.md draws it). `npm run verify` checks it. */
const cloud = "node_modules/@pulumi/";
/** infra's folders and files that are plain functions over plain data. */
const pure =
  "^infra/(config/|monitoring/|releases/|userdata/|firewallMatrix[.]ts$|monthlyCost[.]ts$|sitePlan[.]ts$|topology[.]ts$)";

module.exports = {
  forbidden: [
    {
      name: "pure-modules-import-no-cloud-sdk",
      comment:
        "Settings, topology, user data, the definitions of monitors and the firewall matrix are pure, so that tests and previews can call them",
      severity: "error",
      from: { path: pure },
      to: { path: [cloud, "^infra/"], pathNot: pure },
    },
    {
      name: "the-settings-know-nothing-of-hosts",
      comment: "config -> topology -> userdata -> components -> index",
      severity: "error",
      from: { path: "^infra/config/" },
      to: { path: "^infra/", pathNot: "^infra/config/" },
    },
    {
      name: "the-topology-comes-before-user-data",
      severity: "error",
      from: { path: "^infra/topology[.]ts$" },
      to: { path: "^infra/", pathNot: "^infra/config/" },
    },
    {
      name: "releases-are-made-from-user-data",
      comment: "userdata -> releases -> components",
      severity: "error",
      from: { path: pure, pathNot: "^infra/releases/" },
      to: { path: "^infra/releases/" },
    },
    {
      name: "components-do-not-import-the-program",
      severity: "error",
      from: { path: "^infra/components/" },
      to: { path: "^infra/index[.]ts$" },
    },
    {
      name: "policy-imports-nothing-of-the-project",
      comment: "The pack checks any Pulumi program, so it knows none",
      severity: "error",
      from: { path: "^policy/" },
      to: { path: "^(infra|app|sandbox|scripts)/" },
    },
    {
      name: "sandbox-knows-nothing-of-the-program",
      comment: "Any Pulumi program or API client can use the sandbox",
      severity: "error",
      from: { path: "^sandbox/" },
      to: { path: "^(infra|app|policy|scripts)/" },
    },
    {
      name: "the-sandbox-has-one-public-module",
      comment:
        "Its other modules may change at any time. lock.mjs, hosts/packages.mjs and bundle.mjs are for set-up, which runs before npm ci. Tests of the sandbox's own modules are in test/sandbox, test/hosts and test/monitoring; test/payload needs the base image",
      severity: "error",
      from: { pathNot: "^(sandbox|test/(sandbox|hosts|monitoring|payload))/" },
      to: {
        path: "^sandbox/",
        pathNot: "^sandbox/(index[.]ts|(lock|hosts/packages)[.](mjs|d[.]mts)|bundle[.]mjs)$",
      },
    },
    {
      name: "the-stand-in-plugins-have-one-entry",
      comment:
        "sandbox/plugins/README.md: only install.ts is for other code, so the plugins can go or change as one",
      severity: "error",
      from: { pathNot: "^(sandbox/plugins|test)/" },
      to: { path: "^sandbox/plugins/", pathNot: "^sandbox/plugins/install[.]ts$" },
    },
    {
      name: "the-stand-in-plugins-use-only-the-api",
      comment:
        "They are clients of the sandbox's API, as the official plugins are, and share no code with it",
      severity: "error",
      from: { path: "^sandbox/plugins/.+/" },
      to: { path: "^sandbox/", pathNot: "^sandbox/plugins/" },
    },
    {
      name: "a-stand-in-plugin-imports-no-other",
      comment: "What two plugins need is in sandbox/plugins/provider",
      severity: "error",
      from: { path: "^sandbox/plugins/([^/]+)/" },
      to: { path: "^sandbox/plugins/", pathNot: "^sandbox/plugins/($1|provider)/" },
    },
    {
      name: "the-toolchain-has-two-entries",
      comment: "find.mjs finds the Pulumi CLI and Go; pulumi.ts also installs the CLI",
      severity: "error",
      from: { pathNot: "^(scripts/toolchain|test)/" },
      to: { path: "^scripts/toolchain/", pathNot: "^scripts/toolchain/(find[.](mjs|d[.]mts)|pulumi[.]ts)$" },
    },
    {
      name: "the-app-stands-alone",
      comment: "It runs on a host, with its own lock file",
      severity: "error",
      from: { path: "^app/" },
      to: { path: ["^(infra|policy|sandbox|scripts)/", cloud] },
    },
    {
      name: "the-program-needs-no-tooling",
      severity: "error",
      from: { path: "^infra/" },
      to: { path: "^(app|policy|sandbox|scripts|test)/" },
    },
    {
      name: "an-example-uses-the-component-alone",
      comment: "It shows what a program of one's own needs",
      severity: "error",
      from: { path: "^examples/" },
      to: {
        path: "^(app|infra|policy|sandbox|scripts|test)/",
        pathNot: "^infra/components/securedWeb[.]ts$",
      },
    },
    {
      name: "nothing-imports-examples",
      severity: "error",
      from: { pathNot: "^(examples|test)/" },
      to: { path: "^examples/" },
    },
    {
      name: "nothing-imports-tests",
      comment:
        "But the picture, which is drawn from what the program registers against the tests' mocks of Pulumi",
      severity: "error",
      from: { pathNot: "^(test/|scripts/diagram/)" },
      to: { path: "^test/" },
    },
    {
      name: "the-picture-uses-the-mocks-alone",
      severity: "error",
      from: { path: "^scripts/diagram/" },
      to: { path: "^test/", pathNot: "^test/mocks/" },
    },
    {
      name: "dependencies-are-declared-where-they-are-used",
      severity: "error",
      from: { path: "^(infra|app|examples)/" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    },
    { name: "no-circles", severity: "error", from: {}, to: { circular: true } },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)build/" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
      extensions: [".ts", ".mts", ".js", ".mjs", ".cjs", ".json", ".d.ts"],
    },
  },
};
