/** The permission of a Spaces key in a bucket. `fullaccess` covers every bucket and has an empty bucket name. */
export interface Grant {
  readonly bucket: string;
  readonly permission: "" | "read" | "readwrite" | "fullaccess";
}

/** A Spaces key with its secret, as stored in the account. */
export interface SpacesAccount {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly grants: readonly Grant[];
}

/** A bucket of any region. */
export interface SpacesBucket {
  readonly name: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** Lets the account's Spaces keys open buckets. The API also works without one; keys are then only records. */
export interface SpacesBackend {
  /** The address on this machine, such as `http://127.0.0.1:40123`. */
  readonly url: string;
  /** All buckets, in the order of creation. */
  buckets(): readonly SpacesBucket[];
  /** Sets the keys that open buckets. Called at the start, and after each change before its answer is sent. */
  setAccounts(accounts: readonly SpacesAccount[]): void;
}
