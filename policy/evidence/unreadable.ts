/** Stops the reading of a host's content, because a part of it is unknown. The message never contains that part. */
export class Unreadable extends Error {}
