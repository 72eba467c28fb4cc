/** Reads values of checked inputs and of states. Check has already verified their types. */
import type { PropertyMap } from "../provider/values";

export function text(map: PropertyMap, key: string): string {
  const value = map[key];
  return value === undefined || value === null ? "" : String(value);
}

export function amount(map: PropertyMap, key: string): number {
  const value = map[key];
  return typeof value === "number" ? value : 0;
}

export function flag(map: PropertyMap, key: string): boolean {
  return map[key] === true;
}

export function strings(map: PropertyMap, key: string): string[] {
  const value = map[key];
  return Array.isArray(value) ? value.map(String) : [];
}

export function numbers(map: PropertyMap, key: string): number[] {
  const value = map[key];
  return Array.isArray(value) ? value.map(Number) : [];
}

export function maps(map: PropertyMap, key: string): PropertyMap[] {
  const value = map[key];
  return Array.isArray(value) ? (value as PropertyMap[]) : [];
}

export function inner(map: PropertyMap, key: string): PropertyMap | undefined {
  const value = map[key];
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as PropertyMap)
    : undefined;
}

/** `publicKey` becomes `public_key`, the API's form of a name. */
export function snake(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The given properties under the API's names, without empty ones. */
export function apiBody(map: PropertyMap, ...keys: string[]): Record<string, unknown> {
  return withoutEmpty(Object.fromEntries(keys.map((key) => [snake(key), map[key] ?? undefined])));
}

/** Leaves empty, zero and false values out of a request, as Go's `omitempty` does. */
export function withoutEmpty(body: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(body).filter(
      ([, value]) =>
        value !== undefined &&
        value !== "" &&
        value !== 0 &&
        value !== false &&
        !(Array.isArray(value) && value.length === 0),
    ),
  );
}
