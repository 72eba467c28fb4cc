import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { ApiError, badRequest, errorBody } from "./errors";

/** The error of Node.js for a request that its HTTP parser rejects. `rawPacket` is the last data that it read. */
export interface ParserError {
  readonly code?: string | undefined;
  readonly rawPacket?: unknown;
}

/** The readable parts of a request whose method the parser does not know. */
export interface UnknownMethod {
  readonly address: string;
  readonly authorization: string;
}

/** The request, if the parser failed because of its method; undefined for any other error. */
export function unknownMethod({ code, rawPacket }: ParserError): UnknownMethod | undefined {
  if (code !== "HPE_INVALID_METHOD" || !Buffer.isBuffer(rawPacket)) return undefined;
  const text = rawPacket.toString("latin1");
  const [, address] = /^\S+ (\/\S*) HTTP\/1\.[01]\r?\n/.exec(text) ?? [];
  const [, authorization = ""] = /^authorization:[ \t]*(.*?)[ \t]*\r?$/im.exec(text) ?? [];
  return address === undefined ? undefined : { address, authorization };
}

export function parserRefusal({ code }: ParserError): ApiError {
  if (code === "HPE_HEADER_OVERFLOW")
    return new ApiError(431, "request_header_fields_too_large", "The request's headers are too large.");
  if (code === "ERR_HTTP_REQUEST_TIMEOUT")
    return new ApiError(408, "request_timeout", "The request did not arrive in time.");
  return badRequest("The request is not valid HTTP.");
}

/** Answers on a connection without a parsed request, and closes it. */
export function sendOnSocket(
  socket: Socket,
  refusal: ApiError,
  requestId: string,
  more: Readonly<Record<string, string>>,
): void {
  if (!socket.writable) return;
  const body = errorBody(refusal, requestId);
  const headers = {
    ...more,
    ...refusal.headers,
    "x-request-id": requestId,
    "content-type": "application/json; charset=utf-8",
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const status = `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ""}`;
  socket.end([status, ...lines, "", body].join("\r\n"));
}
