/** What is wrong on one host, before it is told of a resource. */
import type { Violation } from "../../frame/message";

export type Finding = Violation;

export const plaintextHop = "whoever can read the network between two hosts reads the data that passes there";
export const noIdentity =
  "encryption without a verified identity can be read by whoever puts himself in between";
export const notJudged = "a configuration that cannot be read cannot be taken for encrypted";
