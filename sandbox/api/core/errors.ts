/** A refusal in DigitalOcean's form: the HTTP status, its short `id`, and a sentence for the user. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly id: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** The body of a refusal, as JSON. `details` are fields in addition to those of every refusal. */
export const errorBody = ({ id, message }: ApiError, requestId: string, details: object = {}): string =>
  JSON.stringify({ id, message, request_id: requestId, ...details });

/** 404, in DigitalOcean's own words, for an unknown path or an unknown id. */
export const notFound = (message = "The resource you were accessing could not be found.") =>
  new ApiError(404, "not_found", message);

/** 422: the body is JSON, but a value in it is invalid. `message` contains the field. */
export const unprocessable = (message: string) => new ApiError(422, "unprocessable_entity", message);

/** 400: the request could not be parsed. */
export const badRequest = (message: string) => new ApiError(400, "bad_request", message);

/** Does the work, and turns a 422 into a 400, as in some of DigitalOcean's services. */
export function asBadRequest<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof ApiError && error.status === 422 ? badRequest(error.message) : error;
  }
}

/** 403: the request is valid but not allowed (a default VPC, a certificate in use). */
export const forbidden = (message: string) => new ApiError(403, "forbidden", message);

/** 405. `allow` lists the methods that the path accepts. */
export const methodNotAllowed = (allow: string) =>
  new ApiError(405, "method_not_allowed", "The method is not allowed for the requested URL.", {
    Allow: allow,
  });

/** 409: the request conflicts with existing resources (a name in use, an attached volume). */
export const conflict = (message: string) => new ApiError(409, "conflict", message);

/** 412: something must be done first (a project that still has resources). */
export const preconditionFailed = (message: string) => new ApiError(412, "precondition_failed", message);

/** 503: the change could not be saved; nothing was changed. */
export const unavailable = (message: string) => new ApiError(503, "service_unavailable", message);
