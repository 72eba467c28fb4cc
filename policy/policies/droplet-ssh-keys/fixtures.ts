import { cloudConfig, droplet, tier } from "../../fixtures/texts";
import type { PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const host = (properties: Readonly<Record<string, unknown>>) => ({ "web-1": droplet("web-1", properties) });
const sshd = { "/etc/ssh/sshd_config.d/10-keys.conf": "PasswordAuthentication no\n" };

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    {
      path: /^sshKeys(\[0\])?$/,
      change: /unknown/,
      reason: "keys of the stack are unknown in a first preview",
    },
  ],
  valid: [
    { title: "a droplet with a key", resources: host({ sshKeys: ["3b:16:bf:e4:8b:00:8b:b8"] }) },
    {
      title: "the key of the stack, in a first preview",
      resources: {
        operator: {
          type: "digitalocean:index/sshKey:SshKey",
          properties: { name: "operator", publicKey: "ssh-ed25519 AAAA" },
        },
        "web-1": {
          ...droplet("web-1", { sshKeys: [unknownValue] }),
          references: { sshKeys: ["operator"] },
        },
      },
      leftAlone: true,
    },
    {
      title: "a host without logins: its cloud-config refuses passwords",
      resources: host({ userData: cloudConfig({}, { ssh_pwauth: false }) }),
      leftAlone: true,
    },
    {
      title: "a host whose SSH server refuses passwords, in the evidence of a first preview",
      resources: {
        tier: tier({ "web-1": { roles: ["web"], files: sshd } }),
        ...host({ userData: unknownValue, sshKeys: [] }),
      },
      leftAlone: true,
    },
  ],
  invalid: [
    {
      title: "a droplet without keys",
      resources: host({}),
      violations: [{ resource: "web-1", says: "sshKeys: it has no SSH keys", at: "registration" }],
    },
    {
      title: "an empty list of keys, and user data about something else",
      resources: host({ sshKeys: [], userData: cloudConfig({ "/etc/motd": "hello\n" }) }),
      violations: [{ resource: "web-1", says: "it has no SSH keys", at: "registration" }],
    },
    {
      title: "an SSH server that accepts passwords",
      resources: host({
        userData: cloudConfig({ "/etc/ssh/sshd_config.d/10-keys.conf": "PasswordAuthentication yes\n" }),
      }),
      violations: [
        { resource: "web-1", says: "no known configuration refuses passwords", at: "registration" },
      ],
    },
    {
      title: "a key of the type DSA",
      resources: {
        operator: {
          type: "digitalocean:index/sshKey:SshKey",
          properties: { name: "operator", publicKey: "ssh-dss AAAAB3NzaC1kc3MAAACBAP1" },
        },
      },
      violations: [{ resource: "operator", says: "the key is of the type DSA", at: "registration" }],
    },
    {
      title: "unknown user data without evidence",
      resources: host({ userData: unknownValue }),
      violations: [{ resource: "web-1", says: "it has no SSH keys", at: "stack" }],
    },
  ],
};
