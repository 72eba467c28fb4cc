import { droplet } from "../../fixtures/texts";
import type { PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const host = (image: unknown) => ({ "web-1": droplet("web-1", { image }) });

export const fixtures: PolicyFixtures = {
  valid: [
    { title: "a release with years of support", resources: host("ubuntu-26-04-x64") },
    {
      title: "a custom image that the configuration lists",
      configuration: { allowedImages: ["164892017"] },
      resources: host("164892017"),
    },
    {
      title: "a snapshot that the stack creates",
      resources: {
        golden: {
          type: "digitalocean:index/customImage:CustomImage",
          properties: { name: "golden", regions: ["fra1"] },
        },
        "web-1": { ...droplet("web-1", { image: unknownValue }), references: { image: ["golden"] } },
      },
      leftAlone: true,
    },
    {
      title: "an update with an image of a snapshot that the stack creates",
      stack: "prod",
      resources: {
        golden: {
          type: "digitalocean:index/dropletSnapshot:DropletSnapshot",
          properties: { name: "golden", dropletId: 1 },
        },
        "web-1": { ...droplet("web-1", { image: "164892017" }), references: { image: ["golden"] } },
      },
      leftAlone: true,
    },
  ],
  invalid: [
    {
      title: "a release whose support has ended",
      resources: host("ubuntu-20-04-x64"),
      violations: [
        { resource: "web-1", says: "support for this release ended on 2025-05-31", at: "registration" },
      ],
    },
    {
      title: "a custom image that is not the stack's snapshot",
      resources: {
        golden: {
          type: "digitalocean:index/dropletSnapshot:DropletSnapshot",
          properties: { name: "golden", dropletId: 1 },
        },
        ...host("164892017"),
      },
      violations: [{ resource: "web-1", says: "the image is a custom one", at: "stack" }],
    },
    {
      title: "an image that another stack gives",
      resources: {
        other: { type: "pulumi:pulumi:StackReference", properties: { name: "acme/images/prod" } },
        "web-1": { ...droplet("web-1", { image: unknownValue }), references: { image: ["other"] } },
      },
      violations: [
        { resource: "web-1", says: "does not come from an image or a snapshot of the stack", at: "stack" },
      ],
    },
    {
      title: "an old image in the template of a pool of droplets",
      resources: {
        pool: {
          type: "digitalocean:index/dropletAutoscale:DropletAutoscale",
          properties: {
            name: "web",
            config: { minInstances: 2, maxInstances: 4 },
            dropletTemplate: { image: "ubuntu-18-04-x64", size: "s-1vcpu-2gb", region: "fra1", sshKeys: [] },
          },
        },
      },
      violations: [
        {
          resource: "pool",
          says: "dropletTemplate.image: support for this release ended on 2023-05-31",
          at: "registration",
        },
      ],
    },
    {
      title: "a release with less support than the configuration requires",
      configuration: { minimumDays: 3650 },
      resources: host("debian-13-x64"),
      violations: [
        { resource: "web-1", says: "support for this release ends on 2030-06-30", at: "registration" },
      ],
    },
    {
      title: "a marketplace image",
      resources: host("docker-20-04"),
      violations: [{ resource: "web-1", says: "release is not in the policy's table", at: "registration" }],
    },
    {
      title: "a custom image that the configuration does not list",
      resources: host(164892017),
      violations: [{ resource: "web-1", says: "the image is a custom one", at: "registration" }],
    },
    {
      title: "an unknown image that does not come from a resource",
      resources: host(unknownValue),
      violations: [{ resource: "web-1", says: "the value is unknown", at: "stack" }],
    },
  ],
};
