/** Apps in production use production databases. */
import { describeState } from "../../evidence/host";
import type { JudgmentContext, PolicyDefinition } from "../../frame/definition";
import { productionOnly } from "../../frame/enforcement";
import type { JudgedResource } from "../../frame/resource";
import { flagProblem } from "../../resources/support";
import { appType } from "../../resources/types";

const why =
  "a development database has no standby, no connection pools and no backups that can be restored to a point in time, and the app's deletion deletes it";
const fix =
  "set production to true and clusterName to a DatabaseCluster of the stack, or remove the component and pass the cluster's address as a SECRET variable";

export const appPlatformDatabases: PolicyDefinition = {
  name: "app-platform-databases",
  displayName: "App Platform databases",
  category: "data",
  description:
    "Every database component of an App Platform app in production is a managed production database.",
  severity: "high",
  enforcement: productionOnly,
  tags: ["app-platform", "database"],
  types: [appType],
  remediationSteps:
    "Set production to true on each database of the app's spec, with the name of its cluster.",
  judgeResource(resource, context) {
    if (resource.type === appType) judgeApp(resource, context);
  },
};

function judgeApp(app: JudgedResource, context: JudgmentContext): void {
  const report = (at: string, problem: string) => context.report(app, { at, problem, why, fix });
  const spec = app.inputs.object("spec");
  // An app's spec that is unknown is known when the update registers the app.
  if (spec.state !== "known") {
    if (spec.state === "mistyped") report("spec", `the value ${describeState(spec)}`);
    return;
  }
  const databases = spec.value.objects("databases");
  if (databases.state === "absent" || databases.state === "unknown") return;
  if (databases.state !== "known") {
    report("spec.databases", `the value ${describeState(databases)}`);
    return;
  }
  for (const [index, database] of databases.value.entries()) {
    const problem =
      database.state === "known"
        ? flagProblem(database.value, "production", true, false)
        : `the value ${describeState(database)}`;
    if (problem !== undefined) report(`spec.databases[${index}]`, problem);
  }
}
