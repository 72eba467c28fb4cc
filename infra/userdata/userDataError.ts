/** User data that cannot be made from what a site's settings give. The message never holds a secret. */
export class UserDataError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UserDataError";
  }
}
