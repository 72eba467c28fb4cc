import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { contentHash, type ReleaseDocument } from "../releases/document";
import { envelope, releaseContentType } from "../releases/envelope";
import { releaseKey } from "../releases/objectKeys";
import { groupRuns, newestFailed, untilWell } from "../rollout/gate";
import { knownValue } from "../rollout/knownValue";
import type { ReleaseStore } from "./releaseStore";

export interface HostTurnArgs {
  readonly hostName: string;
  readonly droplet: digitalocean.Droplet;
  readonly document: pulumi.Output<ReleaseDocument>;
  readonly store: ReleaseStore;
  readonly timeoutSeconds: number;
  /**
   * The names of the other members of the host's group. If a group runs already, a new host must be well, and so a member, before the
   * next one has its turn.
   */
  readonly others?: readonly string[];
  /** The turns that must be over before this one begins. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * A host's turn in a rollout: its release is written, and the turn is over when the host runs it and is well. The
 * first release of a host does not wait, so that all hosts of a new stack begin side by side, unless the host joins a
 * group that runs.
 */
export class HostTurn extends pulumi.ComponentResource {
  constructor(name: string, args: HostTurnArgs, opts?: pulumi.ComponentResourceOptions) {
    super("secured-web:index:HostTurn", name, {}, opts);
    const { hostName, droplet, document, store, timeoutSeconds, others = [], after } = args;
    const reader = pulumi.unsecret(pulumi.all([store.statusHost(hostName), store.statusPlace]));
    // Without an engine, in a unit test, there are no hosts to ask.
    const hasEngine = pulumi.runtime.getEngine() !== undefined;
    const hasFailed = reader.apply(([host, place]) => hasEngine && newestFailed(host, place));
    // The time of a content's first sight: a number that only grows, and stays while the content does. A host does not
    // try a number again that has failed on it, so the same content then gets another one.
    const number = hasFailed
      .apply(
        (isRetry) =>
          new pulumi.Stash(
            `${name}-number`,
            { input: Date.now() },
            {
              parent: this,
              ignoreChanges: isRetry ? [] : ["input"],
              replacementTrigger: document.apply(contentHash),
            },
          ).input,
      )
      .apply(Number);
    const object = new digitalocean.SpacesBucketObject(
      `${name}-release`,
      {
        bucket: store.releases.name,
        region: store.region,
        key: releaseKey(hostName),
        acl: "private",
        contentType: releaseContentType,
        // Its secrets are sealed.
        content: pulumi.unsecret(
          pulumi
            .all([document, number, store.signingKey])
            .apply(([content, value, key]) => envelope(content, value, key)),
        ),
      },
      { parent: this, provider: store.spaces, dependsOn: [droplet, ...after] },
    );
    const turn = pulumi.all([number, droplet.id, store.statusHost(hostName), store.statusPlace]);
    const untilOver = async () => {
      const [releaseNumber, dropletId, host, place] = await knownValue(turn);
      await untilWell(host, { number: releaseNumber, dropletId }, place, timeoutSeconds);
    };
    const getsWell = new pulumi.ResourceHook(`${name}-gets-well`, untilOver);
    const group = store.reportsOf(others);
    const joins = new pulumi.ResourceHook(`${name}-joins`, async () => {
      const [hosts, place] = await knownValue(group);
      if (await groupRuns(hosts, place)) await untilOver();
    });
    // Only a before hook is a gate: when it fails, the next update waits again.
    new pulumi.Stash(
      `${name}-well`,
      { input: { number, dropletId: droplet.id, size: droplet.size } },
      { parent: this, dependsOn: [object], hooks: { beforeCreate: [joins], beforeUpdate: [getsWell] } },
    );
    this.registerOutputs({});
  }
}
