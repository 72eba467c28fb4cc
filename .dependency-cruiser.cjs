/** Which module may import which: docs/decisions.md says why. `npm run verify` checks it. */
const cloud = "node_modules/@pulumi/";

module.exports = {
  forbidden: [
    {
      name: "pure-modules-import-no-cloud-sdk",
      comment:
        "Topology, settings, user data and the firewall matrix are pure, so that tests and previews can call them",
      severity: "error",
      from: {
        path: "^infra/(userdata/|monitoring/|(config|evidence|firewallMatrix|forms|groupName|hostSettings|settings|siteCertificate|topology)[.]ts$)",
      },
      to: { path: `^(${cloud}|infra/(components/|catalog|program|index))` },
    },
    {
      name: "components-do-not-import-the-program",
      severity: "error",
      from: { path: "^infra/components/" },
      to: { path: "^infra/(program|index)[.]ts$" },
    },
    {
      name: "policy-knows-only-the-evidence",
      comment: "The pack judges any program: all it shares with this one is the form of the evidence",
      severity: "error",
      from: { path: "^policy/" },
      to: { path: "^(infra/(?!evidence[.]ts$)|app/|sandbox/|scripts/)" },
    },
    {
      name: "sandbox-knows-nothing-of-the-program",
      comment: "Any Pulumi program or API client can use the sandbox",
      severity: "error",
      from: { path: "^sandbox/" },
      to: { path: "^(infra|app|policy|scripts)/" },
    },
    {
      name: "the-app-stands-alone",
      comment: "It runs on a host, with its own lock file",
      severity: "error",
      from: { path: "^app/" },
      to: { path: "^(infra|policy|sandbox|scripts)/" },
    },
    {
      name: "the-program-needs-no-tooling",
      severity: "error",
      from: { path: "^infra/" },
      to: { path: "^(policy|sandbox|scripts|test)/" },
    },
    {
      name: "nothing-imports-tests",
      severity: "error",
      from: { pathNot: "^test/" },
      to: { path: "^test/" },
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
