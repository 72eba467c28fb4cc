/** A release or a status that cannot be made or read. The message never contains a secret or a file's content. */
export class ReleaseError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ReleaseError";
  }
}
