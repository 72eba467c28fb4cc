/** The attributes of which Terraform's DigitalOcean provider keeps only a hash. */

import { createHash } from "node:crypto";
import { isMapping } from "../evidence/config-merge";
import { unknownValue } from "../frame/value";
import { textsIn } from "./terraform-values";

/** By the Pulumi name of the type: the inputs that are the SHA-1 of their text (HashStringStateFunc in its source). */
export const hashedInputs: Readonly<Record<string, readonly string[]>> = {
  Droplet: ["userData"],
  Certificate: ["certificateChain", "leafCertificate", "privateKey"],
};

/** Finds the text of a hash in the file: a constant, a variable, an output or an attribute of another resource. */
export class HashedTexts {
  /** Number of hashes whose text is not in the file. */
  missing = 0;
  private byHash: ReadonlyMap<string, string> | undefined;
  private plain: ReadonlySet<string> | undefined;

  constructor(private readonly file: Readonly<Record<string, unknown>>) {}

  /** The text of a hash, or the value itself if it is not a hash. */
  textOf(value: unknown): unknown {
    if (typeof value !== "string" || !/^[0-9a-f]{40}$/.test(value)) return value;
    this.byHash ??= new Map(
      textsIn(this.file).map((text) => [createHash("sha1").update(text).digest("hex"), text]),
    );
    const text = this.byHash.get(value);
    if (text !== undefined) return text;
    this.missing += 1;
    return unknownValue;
  }

  /** True for a text that the configuration contains as a literal, or that is in an output that is not sensitive. */
  isPlain(text: unknown): boolean {
    this.plain ??= plainTexts(this.file);
    return typeof text === "string" && this.plain.has(text);
  }
}

function plainTexts({ configuration, planned_values, values }: Readonly<Record<string, unknown>>) {
  const outputs = [planned_values, values].flatMap((one) =>
    isMapping(one) && isMapping(one.outputs) ? Object.values(one.outputs).filter(isMapping) : [],
  );
  const open = outputs.filter(({ sensitive }) => sensitive !== true).map(({ value }) => value);
  return new Set(textsIn([configuration, open]));
}
