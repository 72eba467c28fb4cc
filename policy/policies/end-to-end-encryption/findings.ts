/** Findings about one host, before they are attached to a resource. */
import type { ReadFault } from "../../evidence/directive-tree";
import { shownPath, type Violation } from "../../frame/message";

export type Finding = Violation;

export const plaintextHop = "anyone who can read the network between two hosts can read the data on this hop";
export const noIdentity = "without a verified identity, a machine in the middle can decrypt the traffic";
export const notJudged = "a configuration that cannot be read may be unencrypted";

export const unread = (faults: readonly ReadFault[]): readonly Finding[] =>
  faults.map(({ path, line, problem }) => ({
    at: `${shownPath(path)}:${line}`,
    problem,
    why: notJudged,
    fix: "write the whole configuration into files in the user data or the evidence",
  }));
