import { z } from "zod";
import { unprocessable } from "./errors";
import type { ApiRequest } from "./http";
import { findRegion, OPEN_REGIONS } from "./regions";

/**
 * Checks a request's body and gives it typed. Fields that the schema does not know are dropped, as DigitalOcean does.
 * Throws 422 with the path of the first wrong field and what it must be.
 */
export function parseBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body === undefined ? {} : body, { reportInput: true });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw unprocessable(issue ? describe(issue) : "the body is not valid");
  }
  if (body === undefined) throw unprocessable("the request has no body: send a JSON object");
  return parsed.data;
}

/**
 * Checks the parameters of a request's query that are in the schema, and returns them typed. Others are ignored.
 * Throws 422 with the name of the first one that is invalid or repeated.
 */
export function parseQuery<S extends z.ZodObject>(schema: S, { query }: ApiRequest): z.output<S> {
  const twice = Object.keys(schema.shape).find((name) => Array.isArray(query[name]));
  if (twice !== undefined) throw unprocessable(`${twice}: is given more than once; give it once`);
  return parseBody(schema, { ...query });
}

function describe(issue: z.core.$ZodIssue): string {
  const path = issue.path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("");
  const field = path.replace(/^\./, "");
  if (field === "") return issue.code === "invalid_type" ? "the body must be a JSON object" : issue.message;
  const missing = issue.input === undefined && /^Invalid (input|option)/.test(issue.message);
  if (missing) return `${field} is required`;
  return `${field}: ${issue.message}`;
}

/**
 * A field that may be absent or null: both result in undefined, which the result type allows explicitly. Clients send
 * null for missing values (Go for an empty pointer or list, python-digitalocean for every field of a droplet, a volume
 * or a record). If no client does so and the API's description does not allow it, write `schema.optional()`.
 */
export const optional = <S extends z.ZodType>(schema: S) =>
  schema.nullish().transform((value) => value ?? undefined);

/** Like `optional`, with DigitalOcean's default value. */
export const withDefault = <S extends z.ZodType>(schema: S, value: z.output<S>) =>
  schema.nullish().transform((given): z.output<S> => given ?? value);

export const text = (maxLength = 255) =>
  z.string().min(1, "must not be empty").max(maxLength, `must be at most ${maxLength} characters`);

/** A boolean in a droplet's body. python-digitalocean sends strings (`"disk": "true"`). */
export const yesOrNo = z.union(
  [z.boolean(), z.enum(["true", "false"]).transform((word) => word === "true")],
  { error: "must be true or false" },
);

/** An id in a body. Official clients send a number, and scripts often a string of its digits. */
export const numericId = z.union([z.number().int().positive(), z.string().regex(/^\d+$/).transform(Number)], {
  error: "must be a number",
});

export const uuid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, "must be a UUID");

/**
 * The tags of a body: `null`, absent and [] all mean none. Each has at most 255 of `A-Za-z0-9:_-` (API reference,
 * Tags).
 */
export const tagName = z
  .string()
  .regex(/^[\w:-]{1,255}$/, "a tag is 1 to 255 letters, digits, colons, dashes and underscores");
export const tags = withDefault(z.array(tagName), []);

/** One of the values, in a query. An empty value has its own error. */
export const oneOf = <const V extends string>(...values: [V, ...V[]]) =>
  text().pipe(z.enum(values, { error: `must be one of ${values.join(", ")}` }));

/** The slug of any region in the catalogue, because old resources may be in a closed one. */
export const knownRegion = text().refine((slug) => findRegion(slug) !== undefined, {
  error: ({ input }) => `there is no region "${input}"`,
});

/** The slug of a region in which new resources can be created. */
export const regionSlug = z.string().refine((slug) => OPEN_REGIONS.includes(slug), {
  error: ({ input }) => `"${input}" is not an available region`,
});
