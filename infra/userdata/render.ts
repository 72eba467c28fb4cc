/** A host's user data: cloud-config with all of its files, the secret ones included. Pure. */
import { databaseWriters } from "../topology";
import { cloudConfig } from "./cloudConfig";
import { configurationFiles, hostFile, orderedByPath, renderFiles } from "./files";
import { checkUserDataSize } from "./limits";
import type { Rendering } from "./payload";
import type { HostContext, HostFile, HostSecrets, KeyPair } from "./types";
import { UserDataError } from "./userDataError";

const secretMode = "0600";
const secretFolder = "/etc/secured-web/secrets";

/**
 * The user data of a host: the text of a cloud-config.
 *
 * The same arguments give the same bytes: a changed byte replaces a droplet. Throws where a secret that the host's
 * roles need is missing or has a form that no file could hold, and where the text is larger than DigitalOcean takes.
 */
export function renderUserData(context: HostContext, secrets: HostSecrets): string {
  const { host } = context;
  const files = orderedByPath([...configurationFiles(context), ...secretFiles(context, secrets)]);
  const text = cloudConfig(
    {
      hostname: host.dropletName,
      fqdn: host.fqdn,
      // DigitalOcean's vendor data would write /etc/hosts anew at each boot; secured-web-peers keeps it here.
      manage_etc_hosts: false,
      ssh_pwauth: false,
      disable_root: false,
      // No user but root, who has the operators' SSH keys.
      users: [],
    },
    files,
  );
  checkUserDataSize(host.dropletName, text);
  return text;
}

/** Every file of a host that holds a secret, or what only the first update makes known. */
function secretFiles(context: HostContext, secrets: HostSecrets): HostFile[] {
  const files = [hostFile("/etc/secured-web/ca.pem", pem("the CA's certificate", secrets.caCertificate))];
  if (context.host.roles.includes("web")) files.push(...webSecrets(context, secrets));
  if (context.host.roles.includes("database")) files.push(...databaseSecrets(context, secrets));
  files.push(...monitoringSecrets(context, secrets));
  return files;
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
    hostFile(`${secretFolder}/app.password`, `${password("app", secrets.passwords.app)}\n`, secretMode),
    hostFile(
      `${secretFolder}/health.password`,
      `${password("health", secrets.passwords.health)}\n`,
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
    ...keyPairFiles(pair, "/etc/mysql/tls/server.pem", "/etc/mysql/tls/server.key"),
    ...rendered.map((file) => ({ ...file, permissions: secretMode })),
  ];

  function accounts({ settings: { vpcIpRange } }: HostContext, { passwords }: HostSecrets): Rendering {
    return {
      trees: ["secret-database"],
      values: {
        vpcIpRange,
        appPassword: password("app", passwords.app),
        healthPassword: password("health", passwords.health),
      },
    };
  }

  function replicationSetup(
    { topology }: HostContext,
    { passwords }: HostSecrets,
    secret: string,
  ): Rendering {
    const replicationPassword = password("replication", secret);
    const [source] = databaseWriters(topology, settings.replication);
    if (settings.replication === "group") {
      return {
        trees: ["secret-group"],
        values: {
          vpcIpRange: settings.vpcIpRange,
          replicationPassword,
          healthPassword: password("health", passwords.health),
        },
      };
    }
    return source === undefined || source.name === host.name
      ? { trees: ["secret-source"], values: { vpcIpRange: settings.vpcIpRange, replicationPassword } }
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

function keyPairFiles(pair: KeyPair, certificatePath: string, keyPath: string): HostFile[] {
  return [
    hostFile(certificatePath, pem(certificatePath, pair.certificate)),
    hostFile(keyPath, pem(keyPath, pair.privateKey), secretMode),
  ];
}

function required<T>(hostName: string, secret: string, value: T | undefined): T {
  if (value === undefined)
    throw new UserDataError(`${hostName}: its roles need the secret ${secret}, and there is none`);
  return value;
}

/** A PEM text with one line break at its end. Its content is never part of the error. */
function pem(what: string, text: string): string {
  if (!text.startsWith("-----BEGIN ")) throw new UserDataError(`${what} is not in PEM form`);
  return `${text.trimEnd()}\n`;
}

/** Letters and digits need no quoting in any of the files that passwords stand in. The value is never in the error. */
function password(user: string, value: string): string {
  if (!/^[A-Za-z0-9]{8,}$/.test(value)) {
    throw new UserDataError(`the password of ${user} must be 8 or more letters and digits`);
  }
  return value;
}
