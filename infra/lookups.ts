/** True if a look-up failed because the object does not exist: the providers' functions throw in that case. */
export function isNotFound(error: unknown): boolean {
  return /not\s?found|404|no (image|domain)|could not be found/i.test(String(error));
}
