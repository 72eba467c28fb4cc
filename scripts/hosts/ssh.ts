/** SSH to the hosts of a stack. A client knows a host by the key in the stack's state, and trusts no other. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { SshAccess } from "../../infra/components/securedWeb";
import { inherit } from "../../sandbox/index";
import { readOutputs } from "../engine/outputs";
import { Failure, usageFailure } from "../failure";
import type { Home } from "../home";
import { hostName, noSuchHost } from "./hostName";

/** Exit code of ssh if it could not connect or log in. */
const NO_CONNECTION = 255;

/** A login on a host. */
export interface Login {
  /** The name that the host's key belongs to: a host keeps it when its address changes. */
  readonly alias: string;
  readonly address: string;
  /** Type and base64. */
  readonly hostKey: string;
  readonly user: string;
  readonly networks: readonly string[];
}

/**
 * Reads from the outputs of a stack how its hosts are reached.
 *
 * @throws Failure if the stack is not up, or was not updated since it has this output
 */
export async function readSshAccess(home: Home, stack: string): Promise<SshAccess> {
  const json = await readOutputs(home, stack, { cloud: true, showSecrets: false });
  const { ssh } = JSON.parse(json) as { ssh?: SshAccess };
  if (ssh !== undefined) return ssh;
  throw new Failure(`The state of ${stack} has no keys of its hosts, by which an SSH client knows them`, {
    remedy: `Update the stack: npm run up -- ${stack} --cloud`,
  });
}

/**
 * The login of an operator on a host.
 *
 * @param user the account; default: root if the stack has no accounts, else that with this machine's user name, or the
 * only one
 * @throws Failure if no login is possible, or the host or account does not exist
 */
export function loginOn(access: SshAccess, stack: string, host: string, user: string | undefined): Login {
  const { hosts, networks } = access;
  const name = hostName(stack, host);
  const found = hosts.find((one) => one.name === name);
  if (found === undefined)
    throw noSuchHost(
      host,
      hosts.map((one) => one.name),
    );
  if (networks.length === 0) {
    throw new Failure("SSH is closed: operators.networks is empty", {
      remedy: `Open it for your network: pulumi config set --path 'secured-web:operators.networks[0]' 203.0.113.0/24 --stack ${stack}, then npm run up -- ${stack} --cloud`,
    });
  }
  const { address, hostKey } = found;
  return { alias: `${stack}-${name}`, address, hostKey, user: userOf(access, user), networks };
}

function userOf({ users }: SshAccess, given: string | undefined): string {
  if (users === undefined) {
    if (given === undefined || given === "root") return "root";
    throw usageFailure(
      `The stack has no operator "${given}"`,
      "operators.users is not set, so only root can log in.",
    );
  }
  if (users.length === 0) {
    throw new Failure("No login is possible: operators.users is empty", {
      remedy: "Add an operator to operators.users and update the stack (docs/operations.md, Operators).",
    });
  }
  const wanted = given ?? (users.length === 1 ? users[0] : userInfo().username);
  if (wanted !== undefined && users.includes(wanted)) return wanted;
  throw usageFailure(
    `The stack has no operator "${wanted}"`,
    `Operators: ${users.join(", ")}. Choose one with --user NAME.`,
  );
}

/**
 * Runs a command on a host as root, or a login shell of the operator without one, with this terminal. The exit code is
 * the command's; 255 if there was no connection.
 */
export async function runOnHost(login: Login, command?: readonly string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "secured-web-ssh-"));
  try {
    const knownHosts = join(folder, "known_hosts");
    writeFileSync(knownHosts, `${login.alias} ${login.hostKey}\n`);
    const exitCode = await inherit("ssh", sshArguments(login, knownHosts, command)).catch(noClient);
    if (exitCode === NO_CONNECTION) process.stderr.write(`${hint(login)}\n`);
    return exitCode;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function noClient(error: NodeJS.ErrnoException): never {
  if (error.code !== "ENOENT") throw error;
  throw new Failure("ssh is not installed on this machine", {
    remedy: "Install OpenSSH's client, for example: apt-get install openssh-client",
  });
}

/** The user's own configuration may choose a key or a way to the network, and nothing that is trusted. */
function sshArguments(
  { alias, address, user }: Login,
  knownHosts: string,
  command: readonly string[] | undefined,
): string[] {
  const options = {
    HostKeyAlias: alias,
    HostKeyAlgorithms: "ssh-ed25519",
    StrictHostKeyChecking: "yes",
    UserKnownHostsFile: knownHosts,
    GlobalKnownHostsFile: "none",
    KnownHostsCommand: "none",
    VerifyHostKeyDNS: "no",
    UpdateHostKeys: "no",
    // An open connection of another command was made without these options.
    ControlPath: "none",
    PasswordAuthentication: "no",
    KbdInteractiveAuthentication: "no",
    ClearAllForwardings: "yes",
    ForwardAgent: "no",
    ConnectTimeout: "15",
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  if (command === undefined) return [...flags, "-l", user, "--", address];
  const asRoot = user === "root" ? command : ["sudo", "--non-interactive", "--", ...command];
  const terminal = process.stdin.isTTY && process.stdout.isTTY ? ["-t"] : ["-T"];
  return [...flags, ...terminal, "-l", user, "--", address, asRoot.map(quoted).join(" ")];
}

/** A word for the shell on the host, which ssh passes one text to. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function hint({ alias, address, user, networks }: Login): string {
  return [
    `Error: No login as ${user} on ${alias} (${address}), or the connection ended`,
    `  Timed out: your network must be one of operators.networks (${networks.join(", ")}).`,
    `  Permission denied: your key must be one of ${user === "root" ? "those that the droplet was created with" : `${user}'s keys in operators.users`}.`,
    "  Host key verification failed: the machine that answers has another key than the stack's state. Do not connect by other means before you know why.",
  ].join("\n");
}
