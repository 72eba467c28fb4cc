/** Images that a stack creates, and images that look like them: a preview and an update give the same verdict. */
import assert from "node:assert/strict";
import { droplet } from "../../policy/fixtures/texts";
import type { FixtureResource } from "../../policy/frame/fixture";
import { unknownValue } from "../../policy/frame/value";
import { supportedImages } from "../../policy/policies/supported-images/policy";
import { judgeFixture } from "./harness";

const snapshot: FixtureResource = {
  type: "digitalocean:index/dropletSnapshot:DropletSnapshot",
  properties: { name: "golden", dropletId: "1" },
  outputs: { id: "4711" },
};
const custom: FixtureResource = {
  type: "digitalocean:index/customImage:CustomImage",
  properties: { name: "golden", url: "https://example.com/golden.qcow2", regions: ["fra1"] },
  outputs: { id: "4711" },
};
const volumeSnapshot: FixtureResource = {
  type: "digitalocean:index/volumeSnapshot:VolumeSnapshot",
  properties: { name: "data", volumeId: "1" },
  outputs: { id: "4711" },
};
/** The type of a stack whose outputs a program reads. */
const otherStack: FixtureResource = {
  type: "pulumi:pulumi:StackReference",
  properties: { name: "acme/images/prod" },
};

/** A droplet whose image comes from a resource: unknown in a preview, an id in an update. */
const from = (source: FixtureResource, image: unknown) => ({
  source,
  "web-1": { ...droplet("web-1", { image }), references: { image: ["source"] } },
});
const pool = (source: FixtureResource, image: unknown) => ({
  source,
  pool: {
    type: "digitalocean:index/dropletAutoscale:DropletAutoscale",
    properties: {
      name: "pool",
      config: { targetNumberInstances: 2 },
      dropletTemplate: { image, size: "s-1vcpu-2gb", region: "fra1" },
    },
    references: { dropletTemplate: ["source"] },
  },
});

const count = (resources: Readonly<Record<string, FixtureResource>>, stack: string) =>
  judgeFixture(supportedImages, { title: "image", stack, resources }).length;

describe("an image of the stack", () => {
  const passing: readonly [string, Readonly<Record<string, FixtureResource>>][] = [
    ["a snapshot of a droplet in a preview", from(snapshot, unknownValue)],
    ["a snapshot of a droplet in an update", from(snapshot, "4711")],
    ["a snapshot whose id is a number", from(snapshot, 4711)],
    ["a custom image in a preview", from(custom, unknownValue)],
    ["a custom image in an update", from(custom, "4711")],
  ];
  for (const [what, resources] of passing)
    it(`passes in every stack: ${what}`, () => {
      assert.deepEqual([count(resources, "prod"), count(resources, "dev")], [0, 0]);
    });

  const refused: readonly [string, Readonly<Record<string, FixtureResource>>][] = [
    ["an output of another stack in a preview", from(otherStack, unknownValue)],
    ["an output of another stack in an update", from(otherStack, "4711")],
    ["a snapshot of a volume, which is no image", from(volumeSnapshot, unknownValue)],
    ["an old release next to a snapshot", { snapshot, "web-1": droplet("web-1", { image: "debian-9-x64" }) }],
    ["an id that is not the stack's snapshot", { snapshot, "web-1": droplet("web-1", { image: "815" }) }],
    [
      "a name of the marketplace next to a snapshot",
      { snapshot, "web-1": droplet("web-1", { image: "lamp-18-04" }) },
    ],
  ];
  for (const [what, resources] of refused)
    it(`is refused once: ${what}`, () => {
      assert.equal(count(resources, "prod"), 1);
    });

  it("passes in the template of a pool, in a preview and an update", () => {
    for (const source of [snapshot, custom])
      for (const image of [unknownValue, "4711"]) assert.equal(count(pool(source, image), "prod"), 0);
  });
});
