/** Secrets in inputs of any provider, found by the name of the input or of the resource. */
import type { JudgedResource } from "../../frame/resource";
import { asText, type Tree } from "../../frame/value";
import { findSecret, isRandom } from "../../parsers/secrets";

const secretName =
  /(?:password|passwd|passphrase|secret|secretKey|secretAccessKey|apiKey|appKey|applicationKey|(?:auth|access|api|bot|hf|hugging\w+)?Token|privateKey|clientKey)$/i;

/**
 * True if a part of an input has the name of a secret (`source.password`, `apiKey`) and a value that looks generated.
 * A path to a secret in a store (`projects/shop/secrets/db-1`) is no secret.
 */
export function holdsNamedSecret(name: string, tree: Tree): boolean {
  const text = asText(tree);
  if (text.state === "known") {
    if (!secretName.test(name)) return false;
    return text.value.split(/[/\s]/).some(isRandom) || findSecret(text.value) !== undefined;
  }
  if (Array.isArray(tree)) return (tree as readonly Tree[]).some((item) => holdsNamedSecret(name, item));
  if (typeof tree !== "object" || tree === null) return false;
  return Object.entries(tree as Readonly<Record<string, Tree>>).some(([part, item]) =>
    holdsNamedSecret(part, item),
  );
}

/** Resources of the provider "random" whose result is in plain text, with the output that holds it. */
const plainRandom: ReadonlyMap<string, string> = new Map([
  ["random:index/randomString:RandomString", "result"],
  ["random:index/randomId:RandomId", "hex"],
  ["random:index/randomUuid:RandomUuid", "result"],
]);

const secretWord =
  /(?:^|[-_.])(?:db)?(?:password|passwd|passphrase|pass|secret|token|api-?key)s?(?:$|[-_.]?\d*$)/i;

/** True if the name of a random value says that it is a secret, and its provider does not treat it as one. */
export function isPlainRandomSecret(resource: JudgedResource): boolean {
  const output = plainRandom.get(resource.type);
  return output !== undefined && secretWord.test(resource.name) && !resource.hidesOutput(output);
}
