import { cloudConfig, droplet, memberFiles } from "../../fixtures/texts";
import type { FixtureResource, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const userData = cloudConfig(memberFiles);
const database = (
  name: string,
  properties: Readonly<Record<string, unknown>> = {},
  protect = true,
): FixtureResource => ({
  ...droplet(name, { userData, ...properties }),
  protect,
});
const backedUp = { backups: true, backupPolicy: { plan: "daily", hour: 4 } };
const volume = (protect: boolean): FixtureResource => ({
  type: "digitalocean:index/volume:Volume",
  properties: { name: "data", region: "fra1", size: 100 },
  protect,
});
const attachment: FixtureResource = {
  type: "digitalocean:index/volumeAttachment:VolumeAttachment",
  properties: { dropletId: unknownValue, volumeId: unknownValue },
  references: { dropletId: ["db-1"], volumeId: ["data"] },
};
const snapshot: FixtureResource = {
  type: "digitalocean:index/volumeSnapshot:VolumeSnapshot",
  properties: { name: "nightly", volumeId: unknownValue },
  references: { volumeId: ["data"] },
};
const managed = (protect: boolean): FixtureResource => ({
  type: "digitalocean:index/databaseCluster:DatabaseCluster",
  properties: {
    name: "db",
    engine: "pg",
    version: "17",
    size: "db-s-1vcpu-1gb",
    region: "fra1",
    nodeCount: 2,
  },
  protect,
});
const bucket = (forceDestroy: unknown): FixtureResource => ({
  type: "digitalocean:index/spacesBucket:SpacesBucket",
  properties: { name: "backups", region: "fra1", forceDestroy },
});

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    { path: /^backupPolicy/, reason: "DigitalOcean makes weekly backups unless a policy sets more" },
    { path: /^userData$/, reason: "a possible database host is checked like one" },
    { path: /^engine$/, reason: "all managed databases are checked in the same way" },
    { path: /^(dropletId|volumeId)$/, reason: "the reference shows the droplet and the volume" },
    { path: /^forceDestroy$/, change: /removed/, reason: "the default is false" },
  ],
  valid: [
    {
      title: "a database host with backups, a managed database and a bucket, all protected",
      stack: "prod",
      resources: { "db-1": database("db-1", backedUp), managed: managed(true), backups: bucket(false) },
    },
    {
      title: "a database host whose volume has snapshots",
      stack: "prod",
      configuration: { requireVolumes: true },
      resources: { data: volume(true), "db-1": database("db-1"), attachment, snapshot },
    },
    {
      title: "one of three hosts that is being replaced",
      stack: "prod",
      resources: {
        "db-1": database("db-1", backedUp, false),
        "db-2": database("db-2", backedUp),
        "db-3": database("db-3", backedUp),
      },
      leftAlone: true,
    },
    {
      title: "a web host",
      stack: "prod",
      resources: { "web-1": droplet("web-1") },
      leftAlone: true,
    },
  ],
  invalid: [
    {
      title: "a database host without backups",
      stack: "prod",
      resources: { "db-1": database("db-1", { backups: false }) },
      violations: [{ resource: "db-1", says: "this database host has no backups", at: "stack" }],
    },
    {
      title: "a database host with unknown backups",
      stack: "prod",
      resources: { "db-1": database("db-1", { backups: unknownValue }) },
      violations: [{ resource: "db-1", says: "may not have backups", at: "stack" }],
    },
    {
      title: "a volume without a snapshot",
      stack: "prod",
      resources: { data: volume(true), "db-1": database("db-1"), attachment },
      violations: [{ resource: "db-1", says: "has no backups and no snapshots of its volumes", at: "stack" }],
    },
    {
      title: "a database host and its volume without protection",
      stack: "prod",
      resources: { data: volume(false), "db-1": database("db-1", backedUp, false), attachment },
      violations: [
        { resource: "db-1", says: "this database host is not protected against deletion", at: "stack" },
        { resource: "data", says: "the volume of a database host is not protected", at: "stack" },
      ],
    },
    {
      title: "a managed database without protection",
      stack: "prod",
      resources: { managed: managed(false) },
      violations: [{ resource: "managed", says: "is not protected against deletion", at: "registration" }],
    },
    {
      title: "a bucket that is destroyed with its objects",
      stack: "prod",
      resources: { backups: bucket(true) },
      violations: [{ resource: "backups", says: "forceDestroy is true", at: "registration" }],
    },
    {
      title: "data on a local disk, if the configuration requires volumes",
      stack: "prod",
      configuration: { requireVolumes: true },
      resources: { "db-1": database("db-1", backedUp) },
      violations: [{ resource: "db-1", says: "on the droplet's local disk", at: "stack" }],
    },
    {
      title: "a possible database host without backups",
      stack: "prod",
      resources: { "host-1": { ...droplet("host-1", { userData: unknownValue }), protect: true } },
      violations: [{ resource: "host-1", says: "a possible database host", at: "stack" }],
    },
  ],
};
