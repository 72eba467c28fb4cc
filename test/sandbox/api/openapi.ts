import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import described from "../reference/digitalocean-openapi.json";

/** DigitalOcean's own OpenAPI description: the test client checks every answer against it. */
interface Description {
  paths: Record<string, Record<string, { responses?: Record<string, unknown> }>>;
}
interface Operation {
  name: string;
  pattern: RegExp;
  method: string;
  pointer: string;
  literals: number;
}

const description = described as unknown as Description;
const operations = listOperations(description);
const covered = new Map<string, Set<number>>();
const validators = new Map<string, ValidateFunction>();
// The tag pattern has escapes that the `u` flag forbids.
const ajv = new Ajv({ strict: false, allErrors: true, logger: false, unicodeRegExp: false });
addFormats.default(ajv);
ajv.addSchema(description, "openapi");

/** Throws when the answer is not one that the description allows for this operation. Unknown paths are not judged. */
export function checkAnswer(method: string, path: string, status: number, body: unknown): void {
  const operation = operations.find((one) => one.method === method && one.pattern.test(path));
  if (!operation) return;
  covered.set(operation.name, (covered.get(operation.name) ?? new Set()).add(status));
  const response = responsePointer(operation, status);
  if (status < 300 && lookUp(`${operation.pointer}/responses/${status}`) === undefined) {
    throw new Error(`${operation.name}: the description knows no answer ${status}`);
  }
  const schema = `${response}/content/application~1json/schema`;
  if (lookUp(schema) === undefined) {
    if (body !== undefined) throw new Error(`${operation.name} ${status} should have no body`);
    return;
  }
  let validate = validators.get(schema);
  if (!validate) {
    validate = ajv.compile({ $ref: `openapi#${schema}` });
    validators.set(schema, validate);
  }
  if (validate(body)) return;
  const errors = validate.errors?.map((error) => `${error.instancePath} ${error.message}`).join("; ");
  throw new Error(
    `${operation.name} ${status} is not as described: ${errors}\n${JSON.stringify(body, null, 1)}`,
  );
}

/** The operations that were never answered with a 2xx. */
function uncovered(): string[] {
  return operations
    .map(({ name }) => name)
    .filter((name) => ![...(covered.get(name) ?? [])].some((status) => status < 300));
}

function listOperations({ paths }: Description): Operation[] {
  const list = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => ["get", "post", "put", "patch", "delete"].includes(method))
      .map((method) => ({
        name: `${method.toUpperCase()} ${path}`,
        pattern: new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+")}$`),
        method: method.toUpperCase(),
        pointer: `/paths/${path.replace(/~/g, "~0").replace(/\//g, "~1")}/${method}`,
        literals: path.replace(/\{\w+\}/g, "").length - path.split("{").length * 100,
      })),
  );
  // A path without parameters wins over one with: /v2/projects/default is no project id.
  return list.sort((a, b) => b.literals - a.literals);
}

function responsePointer(operation: Operation, status: number): string {
  const exact = `${operation.pointer}/responses/${status}`;
  const pointer = lookUp(exact) === undefined ? `${operation.pointer}/responses/default` : exact;
  const { $ref } = lookUp(pointer) as { $ref?: string };
  return $ref ? $ref.slice(1) : pointer;
}

function lookUp(pointer: string): unknown {
  let node: unknown = description;
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replace(/~1/g, "/").replace(/~0/g, "~");
    node = (node as Record<string, unknown> | undefined)?.[key];
  }
  return node;
}

after(function () {
  const missing = uncovered();
  const count = operations.length - missing.length;
  console.log(`    OpenAPI: ${count} of ${operations.length} operations answered, every answer checked`);
  const run = new Set(this.test?.parent?.suites.map((suite) => suite.file));
  const all = readdirSync(__dirname).filter((name) => name.endsWith(".test.ts"));
  const complete = all.every((name) => run.has(join(__dirname, name)));
  const filtered = process.argv.some((argument) => /^(-g|--grep|-f|--fgrep)/.test(argument));
  if (complete && !filtered) assert.deepEqual(missing, [], "operations that no test has had answered");
});
