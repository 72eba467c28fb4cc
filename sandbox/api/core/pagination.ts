import { z } from "zod";
import { unprocessable } from "./errors";
import { type Answer, type ApiRequest, ok } from "./http";
import { parseQuery } from "./validation";

const DEFAULT_PER_PAGE = 20;
const MAX_PER_PAGE = 200;

/**
 * Answers one page of a list in DigitalOcean's form: the items under `key`, `links.pages` with absolute addresses and
 * `meta.total`. Only the page's own items are rendered. Throws 422 for a `page` or `per_page` that is out of range.
 */
export function page<T>(
  request: ApiRequest,
  key: string,
  all: readonly T[],
  render: (item: T) => unknown = (item) => item,
): Answer {
  const { items, ...rest } = paged(request, all);
  return ok({ [key]: items.map(render), ...rest });
}

/** The items of the requested page with `links` and `meta`, for answers that are not a plain list. */
export function paged<T>(
  request: ApiRequest,
  all: readonly T[],
): { items: T[]; links: object; meta: { total: number } } {
  const number = queryInteger(request, "page", 1, Number.MAX_VALUE) ?? 1;
  const perPage = queryInteger(request, "per_page", 1, MAX_PER_PAGE) ?? DEFAULT_PER_PAGE;
  return {
    items: all.slice((number - 1) * perPage, number * perPage),
    links: links(request, number, Math.max(1, Math.ceil(all.length / perPage))),
    meta: { total: all.length },
  };
}

function links(request: ApiRequest, current: number, last: number): { pages?: Record<string, string> } {
  const pages: Record<string, string> = {};
  if (current > 1) {
    pages.first = pageUrl(request, 1);
    pages.prev = pageUrl(request, Math.min(current - 1, last));
  }
  if (current < last) {
    pages.next = pageUrl(request, current + 1);
    pages.last = pageUrl(request, last);
  }
  return Object.keys(pages).length > 0 ? { pages } : {};
}

function pageUrl(request: ApiRequest, number: number): string {
  const query = new URLSearchParams();
  for (const [name, given] of Object.entries(request.query)) {
    for (const value of [given].flat()) query.append(name, value);
  }
  query.set("page", String(number));
  return `${request.origin}${request.path}?${query}`;
}

function queryInteger(request: ApiRequest, name: string, min: number, max: number): number | undefined {
  const given = parseQuery(z.object({ [name]: z.string().optional() }), request)[name];
  if (given === undefined) return undefined;
  const value = /^\d+$/.test(given) ? Number(given) : Number.NaN;
  if (!Number.isInteger(value) || value < min || value > max) {
    const range = max === Number.MAX_VALUE ? `${min} or more` : `${min} to ${max}`;
    throw unprocessable(`${name} must be a whole number, ${range}`);
  }
  return value;
}
