/** The directives of a configuration file, or why it cannot be parsed: the results of several parsers. */

export interface Directive {
  /** Apache: in lower case, because it ignores the case of names. */
  readonly name: string;
  readonly args: readonly string[];
  /** Line of the directive's name, counted from 1. */
  readonly line: number;
  /** Present if the directive opens a block. */
  readonly block?: readonly Directive[];
}

export type DirectivesParse = { readonly ok: true; readonly directives: readonly Directive[] } | ParseFailure;

/** The reason never quotes the text. */
export interface ParseFailure {
  readonly ok: false;
  readonly line: number;
  readonly reason: string;
}
