/** What a Spaces key may do in a bucket; `fullaccess` covers every bucket and carries an empty bucket name. */
export interface Grant {
  readonly bucket: string;
  readonly permission: "" | "read" | "readwrite" | "fullaccess";
}

/** A Spaces key with its secret, as the account holds it. */
export interface SpacesAccount {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly grants: readonly Grant[];
}

/** Makes the account's Spaces keys real. The API works without one: then keys are records only. */
export interface SpacesBackend {
  /** The keys that open buckets from now on. Called at the start and after each change, before its answer is sent. */
  setAccounts(accounts: readonly SpacesAccount[]): void;
}
