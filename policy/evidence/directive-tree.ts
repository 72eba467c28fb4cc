/** The directives of a program's configuration on a host, from all of its files. */
import type { Directive } from "../parsers/directives";

export interface PlacedDirective extends Directive {
  /** The file. */
  readonly path: string;
  readonly block?: readonly PlacedDirective[];
}

/** A part of a file that could not be read. */
export interface ReadFault {
  readonly path: string;
  readonly line: number;
  readonly problem: string;
}

export interface DirectiveTree {
  readonly directives: readonly PlacedDirective[];
  readonly faults: readonly ReadFault[];
}
