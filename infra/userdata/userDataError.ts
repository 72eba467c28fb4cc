/** User data that cannot be built from a site's settings. The message never contains a secret. */
export class UserDataError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UserDataError";
  }
}
