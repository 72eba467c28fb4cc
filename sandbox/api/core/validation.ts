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
 * Checks the parameters of a request's query that the schema names, and gives them typed; others are ignored.
 * Throws 422 with the name of the first one that is wrong or given more than once.
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
 * A field that may be left out or be null: both give undefined, and the result type allows it explicitly. Clients send
 * null for what they do not have (Go for an empty pointer or list, python-digitalocean for every field of a droplet, a
 * volume or a record). Where no client does and the API's description does not allow it, write `schema.optional()`.
 */
export const optional = <S extends z.ZodType>(schema: S) =>
  schema.nullish().transform((value) => value ?? undefined);

/** As `optional`, with the value that DigitalOcean takes where none is given. */
export const withDefault = <S extends z.ZodType>(schema: S, value: z.output<S>) =>
  schema.nullish().transform((given): z.output<S> => given ?? value);

export const text = (maxLength = 255) =>
  z.string().min(1, "must not be empty").max(maxLength, `must be at most ${maxLength} characters`);

/** Yes or no in a droplet's body, where python-digitalocean writes the words (`"disk": "true"`). */
export const yesOrNo = z.union(
  [z.boolean(), z.enum(["true", "false"]).transform((word) => word === "true")],
  { error: "must be true or false" },
);

/** An id in a body: official clients send numbers, scripts often the same digits as a string. */
export const numericId = z.union([z.number().int().positive(), z.string().regex(/^\d+$/).transform(Number)], {
  error: "must be a number",
});

export const uuid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, "must be a UUID");

/** The tags of a body: `null`, absent and [] are all "none". At most 255 of `A-Za-z0-9:_-` each (API reference, Tags). */
export const tagName = z
  .string()
  .regex(/^[\w:-]{1,255}$/, "a tag is 1 to 255 letters, digits, colons, dashes and underscores");
export const tags = withDefault(z.array(tagName), []);

/** One of the values, in a query: an empty one is told as such. */
export const oneOf = <const V extends string>(...values: [V, ...V[]]) =>
  text().pipe(z.enum(values, { error: `must be one of ${values.join(", ")}` }));

/** The slug of any region of the catalogue, where resources may be of old. */
export const knownRegion = text().refine((slug) => findRegion(slug) !== undefined, {
  error: ({ input }) => `there is no region "${input}"`,
});

/** The slug of a region that takes new resources. */
export const regionSlug = z.string().refine((slug) => OPEN_REGIONS.includes(slug), {
  error: ({ input }) => `"${input}" is not an available region`,
});
