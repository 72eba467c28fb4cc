// Reads the files of a stack in the sandbox's backend: a JSON file with its locks next to it. It never writes them.
// Layout: pulumi 3.248.0, pkg/backend/diy: .pulumi/stacks/PROJECT/STACK.json,
// .pulumi/locks/organization/PROJECT/STACK/.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../failure";
import type { Home } from "../home";

const PROJECT = "secured-web";

export interface StoredResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly inputs?: Record<string, unknown>;
  readonly outputs?: Record<string, unknown>;
  readonly protect?: boolean;
}

/** The value that a Stash of the program has, by its name in the site; undefined without such a resource. */
export function stashed({ resources }: StoredStack, name: string): unknown {
  return resources.find(({ urn }) => urn.endsWith(`::main-${name}`))?.inputs?.input;
}

export interface PendingOperation {
  readonly resource: StoredResource;
  /** The started operation: creating, updating, deleting, reading, importing. */
  readonly type: string;
}

export interface StoredStack {
  readonly resources: readonly StoredResource[];
  readonly pending: readonly PendingOperation[];
  /** When the engine last wrote the file, in milliseconds since 1970. */
  readonly savedAt: number;
}

export function stackFile(home: Home, stack: string): string {
  return join(home.stateDir, ".pulumi", "stacks", PROJECT, `${stack}.json`);
}

/** The stacks with a state in the sandbox. */
export function storedStacks(home: Home): string[] {
  const dir = join(home.stateDir, ".pulumi", "stacks", PROJECT);
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .map((file) => /^(.+)\.json$/.exec(file)?.[1])
    .filter((stack) => stack !== undefined);
}

/** Undefined if the stack has no state. Throws a Failure if the file cannot be read. */
export function readStoredStack(home: Home, stack: string): StoredStack | undefined {
  const file = stackFile(home, stack);
  if (!existsSync(file)) return undefined;
  const { checkpoint } = parseState(file, stack);
  return fromDeployment(checkpoint?.latest);
}

function parseState(file: string, stack: string): { checkpoint?: { latest?: Deployment } } {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as { checkpoint?: { latest?: Deployment } };
  } catch (error) {
    throw new Failure(
      `Could not read the state of ${stack}: ${file} is damaged, for example by a full disk or a power cut`,
      {
        remedy:
          "Delete the sandbox and start again: npm stop -- --force, then npm start. Or restore an older state: the engine keeps some in .pulumi/backups.",
        cause: error,
      },
    );
  }
}

/** The used part of a deployment (version 3), as in a state file and in the output of `pulumi stack export`. */
export interface Deployment {
  readonly manifest?: { readonly time?: string };
  readonly resources?: readonly StoredResource[];
  readonly pending_operations?: readonly PendingOperation[];
}

export function fromDeployment(deployment: Deployment | undefined): StoredStack {
  return {
    resources: deployment?.resources ?? [],
    pending: deployment?.pending_operations ?? [],
    savedAt: Date.parse(deployment?.manifest?.time ?? "") || 0,
  };
}

/** True if an engine has locked the stack, or died without unlocking it. */
export function hasLockFiles(home: Home, stack: string): boolean {
  const dir = join(home.stateDir, ".pulumi", "locks", "organization", PROJECT, stack);
  return existsSync(dir) && readdirSync(dir).length > 0;
}
