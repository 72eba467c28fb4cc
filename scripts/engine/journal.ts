import { isDeepStrictEqual } from "node:util";
import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation";

/** `urn:pulumi:dev::secured-web::PARENTS$TYPE::NAME` in its parts. */
export function parseUrn(urn: string): { type: string; name: string } {
  const [, , types = "", ...name] = urn.split("::");
  return { type: types.split("$").at(-1) ?? "", name: name.join("::") };
}

/** A resource as shown to users: `Droplet web-1`. */
export function describeResource(urn: string): string {
  const { type, name } = parseUrn(urn);
  return type === "pulumi:pulumi:Stack" ? "the stack" : `${type.split(/[/:]/).at(-1)} ${name}`;
}

export interface Violation {
  readonly policy: string;
  readonly pack: string;
  readonly message: string;
  readonly mandatory: boolean;
  /** Undefined for a policy about the whole stack. */
  readonly urn: string | undefined;
}

export interface Problem {
  readonly urn: string | undefined;
  readonly message: string;
}

/** The events of one engine operation, reduced to what a user needs. */
export class Journal {
  readonly violations: Violation[] = [];
  readonly errors: Problem[] = [];
  readonly warnings: Problem[] = [];
  /** Number of resources for each operation (create, update, same ...). */
  changes: Readonly<Record<string, number>> = {};
  #seen = 0;

  /** @param onProgress receives a line for each resource that changed (would change, has drifted) */
  constructor(
    private readonly onProgress: (line: string) => void,
    private readonly mode: JournalMode,
  ) {}

  readonly record = (event: EngineEvent): void => {
    const { policyEvent, diagnosticEvent, summaryEvent, resourcePreEvent, resOutputsEvent } = event;
    if (policyEvent) this.#addViolation(policyEvent);
    if (diagnosticEvent && !diagnosticEvent.ephemeral) this.#addDiagnostic(diagnosticEvent);
    if (summaryEvent) this.changes = summaryEvent.resourceChanges ?? {};
    if (this.mode === "preview" && resourcePreEvent) this.#tell(resourcePreEvent.metadata);
    if (this.mode !== "preview" && resOutputsEvent) this.#tell(resOutputsEvent.metadata);
  };

  /** True if the operation did, or would do, anything except `same` (or `read`). */
  get hasChanges(): boolean {
    return Object.entries(this.changes).some(([op, count]) => op !== "same" && op !== "read" && count > 0);
  }

  /** True if the program itself failed, not an operation on a resource. */
  get programFailed(): boolean {
    return this.errors.some(({ urn }) => urn === undefined || parseUrn(urn).type === "pulumi:pulumi:Stack");
  }

  /** `4 to create, 50 the same`. */
  get summary(): string {
    const parts = Object.entries(this.changes).map(([op, count]) => {
      return `${count} ${WORDS[this.mode][op] ?? op}`;
    });
    return parts.join(", ") || "nothing to do";
  }

  #addViolation(event: NonNullable<EngineEvent["policyEvent"]>): void {
    // The same violation can come from the check of the resource and from the check of the stack. It is printed once.
    const violation = {
      policy: event.policyName,
      pack: event.policyPackName,
      message: plain(event.message),
      mandatory: event.enforcementLevel === "mandatory",
      urn: event.resourceUrn || undefined,
    };
    const isKnown = this.violations.some(
      ({ policy, message, urn }) =>
        policy === violation.policy && message === violation.message && urn === violation.urn,
    );
    if (!isKnown) this.violations.push(violation);
  }

  #addDiagnostic(event: NonNullable<EngineEvent["diagnosticEvent"]>): void {
    const message = plain(event.message);
    const list =
      event.severity === "error" ? this.errors : event.severity === "warning" ? this.warnings : undefined;
    const urn = event.urn || undefined;
    if (list === undefined || message === "" || isAboutEngineItself(message)) return;
    if (!list.some((known) => known.message === message && known.urn === urn)) list.push({ urn, message });
  }

  #tell(metadata: StepEventMetadata): void {
    this.#seen++;
    const { op, urn } = metadata;
    const word = WORDS[this.mode][op];
    if (word === undefined || ["same", "read", "refresh"].includes(op)) return;
    const changed =
      this.mode === "drift" && op === "update" ? `: ${changedOutputs(metadata).join(", ")}` : "";
    const number = this.mode === "drift" ? "" : `${String(this.#seen).padStart(3)} `;
    this.onProgress(`${number}${word} ${describeResource(urn)}${changed}`);
  }
}

/** The words for an operation's kind: what would be done, what is done, or what differs from the state. */
export type JournalMode = "preview" | "run" | "drift";

const WORDS: Readonly<Record<JournalMode, Readonly<Record<string, string>>>> = {
  run: {
    same: "unchanged",
    create: "created",
    update: "updated",
    delete: "deleted",
    replace: "replaced",
    "create-replacement": "recreated",
    "delete-replaced": "deleted the old one",
    read: "read",
    import: "imported",
  },
  preview: {
    same: "unchanged",
    create: "to create",
    update: "to update",
    delete: "to delete",
    replace: "to replace",
    "create-replacement": "to recreate",
    "delete-replaced": "to delete the old one",
    read: "to read",
    import: "to import",
  },
  drift: { same: "unchanged", update: "changed", delete: "gone", refresh: "looked at" },
};

/**
 * The top-level properties of a resource that differ from the state. Only their names, because a value can be a
 * secret.
 */
function changedOutputs({ old, new: found }: StepEventMetadata): string[] {
  const [before, after] = [old?.outputs ?? {}, found?.outputs ?? {}];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((key) => !isDeepStrictEqual(before[key], after[key]))
    .sort();
}

/** Printed whenever the policy shim or a stand-in is used, which is intended (see toolchain/). */
function isAboutEngineItself(message: string): boolean {
  return /using pulumi-(analyzer|resource|language)-\S+ from \$PATH/i.test(message);
}

/** Engine messages contain color marks such as `<{%reset%}>`. */
export function plain(message: string): string {
  return message.replace(/<\{%.*?%\}>/g, "").trim();
}
