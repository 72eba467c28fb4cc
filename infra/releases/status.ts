/** The status of a host, in an object that only this host can have written. */
import { z } from "zod";
import { ReleaseError } from "./releaseError";
import { open } from "./seal";

const releaseNumber = z.number().int().nonnegative();

const statusForm = z.object({
  /** The host's name in the topology. */
  host: z.string(),
  /** DigitalOcean's id of the droplet: a replaced host has the same name and another id. */
  dropletId: z.string(),
  bootId: z.string(),
  /** When the host wrote this, ISO 8601. */
  time: z.iso.datetime({ offset: true }),
  /** The release that runs; 0 is the one in user data. */
  number: releaseNumber,
  /** The newest release that the host has seen. */
  wanted: releaseNumber,
  /**
   * undone: `wanted` failed, and `number` runs again. refused: the host did not switch to `wanted`. unwell: nothing is
   * being applied, and the host is not well.
   */
  outcome: z.enum(["well", "applying", "undone", "refused", "unwell"]),
  step: z.enum(["fetch", "verify", "stage", "check", "switch", "setup", "restart", "well"]).optional(),
  unit: z.string().optional(),
  /** One sentence. */
  cause: z.string().optional(),
  /** The last lines of the unit's journal, without secrets. */
  journal: z.array(z.string()).optional(),
  rebootRequired: z.boolean(),
  version: z.string(),
  /** Database hosts: the replication group as this member sees it. */
  group: z
    .object({
      /** The hosts in the group's list of members; missing before the first list is made. */
      listed: z.array(z.string()).optional(),
      /** Members that are ONLINE. */
      online: z.number().int().nonnegative(),
      members: z.array(z.object({ host: z.string(), state: z.string() })),
      /** Transactions that this member has not applied yet. */
      queue: z.number().int().nonnegative(),
      writable: z.boolean(),
    })
    .optional(),
  /** Database hosts of a group: what the supervisor of the group does, and why: "wait: for ...". */
  supervisor: z.string().optional(),
  /** Web hosts: the database hosts that HAProxy does not use, by their internal names, and the health check's reason. */
  unfit: z.array(z.object({ host: z.string(), reason: z.string() })).optional(),
});

export type HostStatus = Readonly<z.infer<typeof statusForm>>;

/**
 * The status of a host, from the text of its status object.
 *
 * @param text base64 of the sealed status
 * @param stack the site's label
 * @param host the host's name in the topology
 * @param sealingKey base64 of the host's 64 bytes
 * @throws ReleaseError if the text does not open, or has another form. The message never contains its content.
 */
export function openStatus(text: string, stack: string, host: string, sealingKey: string): HostStatus {
  const opened = open(text, sealingKey, { stack, host, use: "status" });
  const of = `the status of ${stack}/${host}`;
  const { success, data, error } = statusForm.safeParse(parsedJson(opened, of));
  if (!success) {
    const problems = error.issues.map(({ path, message }) => `${path.join(".") || "all of it"}: ${message}`);
    throw new ReleaseError(`${of} has an unexpected form. ${problems.join("; ")}`);
  }
  if (data.host !== host) throw new ReleaseError(`${of} names another host`);
  return data;
}

/** JSON.parse's own error quotes the text. */
function parsedJson(text: string, of: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ReleaseError(`${of} is not JSON`);
  }
}
