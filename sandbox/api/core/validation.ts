import { z } from "zod";
import { unprocessable } from "./errors";
import { OPEN_REGIONS } from "./regions";

/**
 * Checks a request's body and gives it typed. Fields that the schema does not know are dropped, as DigitalOcean does.
 * Throws 422 with the path of the first wrong field and what it must be.
 */
export function parseBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw unprocessable(issue ? describe(issue) : "the body is not valid");
}

function describe(issue: z.core.$ZodIssue): string {
  const path = issue.path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("");
  const field = path.replace(/^\./, "");
  if (field === "")
    return issue.message === "Invalid input" ? "the body must be a JSON object" : issue.message;
  const missing = issue.code === "invalid_type" && issue.message.endsWith("received undefined");
  if (missing) return `${field} is required`;
  return `${field}: ${issue.message}`;
}

/**
 * A field that may be left out or, as Go clients do for an empty pointer, be null: both give undefined.
 * The result type allows undefined explicitly.
 */
export const optional = <S extends z.ZodType>(schema: S) =>
  schema.nullish().transform((value) => value ?? undefined);

/** As `optional`, with the value that DigitalOcean takes where none is given. */
export const withDefault = <S extends z.ZodType>(schema: S, value: z.output<S>) =>
  schema.nullish().transform((given): z.output<S> => given ?? value);

export const text = (maxLength = 255) =>
  z.string().min(1, "must not be empty").max(maxLength, `must be at most ${maxLength} characters`);

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

/** The slug of a region that takes new resources. */
export const regionSlug = z.string().refine((slug) => OPEN_REGIONS.includes(slug), {
  error: ({ input }) => `"${input}" is not an available region`,
});
