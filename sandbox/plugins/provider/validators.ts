/** The limits that the official providers set for inputs. No validator quotes the value that it refuses. */
import { isIPv4, isIPv6 } from "node:net";
import type { Validator } from "./fields";

/** Terraform's NoZeroValues for a string. */
export const notEmpty: Validator = (value) => (value === "" ? "must not be empty" : undefined);

export const notZero: Validator = (value) => (value === 0 ? "must not be zero" : undefined);

export function oneOf(...allowed: string[]): Validator {
  return (value) => (allowed.includes(String(value)) ? undefined : `must be one of ${allowed.join(", ")}`);
}

export function oneOfAnyCase(...allowed: string[]): Validator {
  const lower = allowed.map((item) => item.toLowerCase());
  return (value) =>
    lower.includes(String(value).toLowerCase()) ? undefined : `must be one of ${allowed.join(", ")}`;
}

export function between(low: number, high: number): Validator {
  return (value) => (Number(value) >= low && Number(value) <= high ? undefined : `must be ${low} to ${high}`);
}

export function atLeast(low: number): Validator {
  return (value) => (Number(value) >= low ? undefined : `must be ${low} or more`);
}

export function length(low: number, high: number): Validator {
  return (value) => {
    const size = String(value).length;
    return size >= low && size <= high ? undefined : `must have ${low} to ${high} characters, has ${size}`;
  };
}

export function matching(pattern: RegExp, says: string): Validator {
  return (value) => (pattern.test(String(value)) ? undefined : says);
}

export function items(low: number, high = Number.POSITIVE_INFINITY): Validator {
  return (value) => {
    if (!Array.isArray(value) || (value.length >= low && value.length <= high)) return undefined;
    const allowed = high === Number.POSITIVE_INFINITY ? `${low} or more` : `${low} to ${high}`;
    return `must have ${allowed} items, has ${value.length}`;
  };
}

export const ipv4Address: Validator = (value) =>
  isIPv4(String(value)) ? undefined : "must be an IPv4 address";

export const ipAddress: Validator = (value) =>
  isIPv4(String(value)) || isIPv6(String(value)) ? undefined : "must be an IP address";

export const cidr: Validator = (value) => {
  const [address = "", bits = "", ...rest] = String(value).split("/");
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  const valid = rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most;
  return valid ? undefined : "must be an address range in CIDR notation, such as 10.10.0.0/16";
};
