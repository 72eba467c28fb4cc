/** A host's files with secrets, and with what the first update creates: certificates, addresses, keys. Pure. */
import { databaseWriters } from "../topology";
import { certificateName } from "./certificateName";
import { hostFile, orderedByPath, renderFiles } from "./files";
import type { Rendering } from "./payload";
import type { HostContext, HostFile, HostSecrets, KeyPair, Password } from "./types";
import { UserDataError } from "./userDataError";

/** Mode of every file that contains a secret, and of no other. */
export const secretMode = "0600";
const secretFolder = "/etc/secured-web/secrets";

/**
 * All files of a host that contain a secret, or a value that the first update creates, sorted by path.
 *
 * Throws if a secret that the host's roles need is missing or malformed. The error never contains it.
 */
export function secretFiles(context: HostContext, secrets: HostSecrets): readonly HostFile[] {
  const files = [
    hostFile("/etc/secured-web/ca.pem", pem("the CA's certificate", secrets.caCertificate)),
    hostFile("/etc/secured-web/revoked/lists.pem", pem("the CA's list", secrets.revocationLists)),
    hostFile("/etc/ssh/secured-web-host.key", pem("the SSH server's key", secrets.sshHostKey), secretMode),
  ];
  if (context.host.roles.includes("web")) files.push(...webSecrets(context, secrets));
  if (context.host.roles.includes("database")) files.push(...databaseSecrets(context, secrets));
  files.push(...monitoringSecrets(context, secrets));
  if (context.settings.releases) files.push(...releaseAccess(context, secrets));
  return orderedByPath(files);
}

function webSecrets({ host }: HostContext, secrets: HostSecrets): HostFile[] {
  return [
    ...keyPairFiles(
      required(host.name, "web", secrets.web),
      "/etc/nginx/tls/server.pem",
      "/etc/nginx/tls/server.key",
    ),
    ...keyPairFiles(
      required(host.name, "app", secrets.app),
      `${secretFolder}/app.pem`,
      `${secretFolder}/app.key`,
    ),
    hostFile(`${secretFolder}/app.password`, `${password("app", secrets.passwords.app.used)}\n`, secretMode),
    hostFile(
      `${secretFolder}/health.password`,
      `${password("health", secrets.passwords.health.used)}\n`,
      secretMode,
    ),
  ];
}

function databaseSecrets(context: HostContext, secrets: HostSecrets): HostFile[] {
  const { host, settings } = context;
  const pair = required(host.name, "database", secrets.database);
  const replication = required(host.name, "passwords.replication", secrets.passwords.replication);
  const rendered = [accounts(context, secrets), replicationSetup(context, secrets, replication)].flatMap(
    renderFiles,
  );
  return [
    // AppArmor lets mysqld read only below /etc/mysql.
    hostFile("/etc/mysql/tls/ca.pem", pem("the CA's certificate", secrets.caCertificate)),
    hostFile("/etc/mysql/revoked/lists.pem", pem("the CA's list", secrets.revocationLists)),
    ...keyPairFiles(pair, "/etc/mysql/tls/server.pem", "/etc/mysql/tls/server.key"),
    ...rendered.map((file) => ({ ...file, permissions: secretMode })),
  ];

  function accounts({ settings: { vpcIpRange } }: HostContext, { passwords }: HostSecrets): Rendering {
    return {
      trees: ["secret-database"],
      values: {
        vpcIpRange,
        appCertificate: certificateName("app"),
        appPassword: accepted("app", passwords.app).first,
        healthPassword: accepted("health", passwords.health).first,
        next: nextPasswords({ app: passwords.app, health: passwords.health }),
      },
    };
  }

  function replicationSetup(
    { topology }: HostContext,
    { passwords }: HostSecrets,
    secret: Password,
  ): Rendering {
    const replicationPassword = accepted("replication", secret).first;
    const [source] = databaseWriters(topology, settings.replication);
    if (settings.replication === "group") {
      return {
        trees: ["secret-group"],
        values: {
          vpcIpRange: settings.vpcIpRange,
          databaseCertificate: certificateName("database"),
          replicationPassword,
          usedReplicationPassword: password("replication", secret.used),
          healthPassword: password("health", passwords.health.used),
          next: nextPasswords({ replication: secret }),
        },
      };
    }
    return source === undefined || source.name === host.name
      ? {
          trees: ["secret-source"],
          values: {
            vpcIpRange: settings.vpcIpRange,
            databaseCertificate: certificateName("database"),
            replicationPassword,
          },
        }
      : { trees: ["secret-replica"], values: { sourceFqdn: source.fqdn, replicationPassword } };
  }
}

function monitoringSecrets({ host, settings }: HostContext, secrets: HostSecrets): HostFile[] {
  const { agent } = settings.monitoring;
  if (agent === "none") return [];
  const rendering: Rendering =
    agent === "datadog"
      ? {
          trees: ["secret-datadog"],
          values: {
            apiKey: password(
              "datadogApiKey",
              required(host.name, "datadogApiKey (set secured-web:datadog.apiKey)", secrets.datadogApiKey),
            ),
          },
        }
      : {
          trees: ["secret-sumologic"],
          values: {
            url: required(host.name, "sumologicUrl (set secured-web:sumologic.url)", secrets.sumologicUrl),
          },
        };
  return renderFiles(rendering).map((file) => ({ ...file, permissions: secretMode }));
}

/** The files with which a host fetches, checks and opens its releases, and reports its status. */
function releaseAccess({ host, settings }: HostContext, secrets: HostSecrets): HostFile[] {
  const access = required(host.name, "release", secrets.release);
  const { releasesUrl, statusUrl, region, publicKey, accessKeyId, secretAccessKey, sealingKey } = access;
  return [
    jsonFile("/etc/secured-web/release.json", {
      stack: settings.stack,
      host: host.name,
      releases: releasesUrl,
      status: statusUrl,
      region,
    }),
    hostFile("/etc/secured-web/release.pem", pem("the public key of releases", publicKey)),
    jsonFile(`${secretFolder}/release.json`, { accessKeyId, secretAccessKey, sealingKey }, secretMode),
  ];
}

function jsonFile(path: string, content: Readonly<Record<string, string>>, permissions?: string): HostFile {
  return hostFile(path, `${JSON.stringify(content)}\n`, permissions);
}

function keyPairFiles(pair: KeyPair, certificatePath: string, keyPath: string): HostFile[] {
  return [
    hostFile(certificatePath, pem(certificatePath, pair.certificate)),
    hostFile(keyPath, pem(keyPath, pair.privateKey), secretMode),
  ];
}

function required<T>(hostName: string, secret: string, value: T | undefined): T {
  if (value === undefined)
    throw new UserDataError(`${hostName}: its roles require the secret ${secret}, but it is missing`);
  return value;
}

/** A PEM text with one line break at its end. The error never contains its content. */
function pem(what: string, text: string): string {
  if (!text.startsWith("-----BEGIN ")) throw new UserDataError(`expected ${what} in PEM form`);
  return `${text.trimEnd()}\n`;
}

function accepted(user: string, { accepted: [first, next] }: Password): { first: string; next?: string } {
  return { first: password(user, first), ...(next === undefined ? {} : { next: password(user, next) }) };
}

/** A list for templates: empty, or during a rotation one record with the passwords that it adds. */
function nextPasswords(passwords: Readonly<Record<string, Password>>): Record<string, string>[] {
  const next = Object.entries(passwords).flatMap(([user, value]) => {
    const added = accepted(user, value).next;
    return added === undefined ? [] : [[user, added] as const];
  });
  return next.length === 0 ? [] : [Object.fromEntries(next)];
}

/**
 * Letters and digits need no quoting in any of the files that contain passwords. The error never contains the value.
 */
function password(user: string, value: string): string {
  if (!/^[A-Za-z0-9]{8,}$/.test(value)) {
    throw new UserDataError(`the password of ${user}: expected 8 or more letters and digits`);
  }
  return value;
}
