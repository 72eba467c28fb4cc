/**
 * The word list of the prose check: forms that read as if translated, what to write instead, and one example of each.
 * A space in a pattern
 * also matches a line break. The tests run the examples.
 */
export interface Rule {
  readonly name: string;
  readonly pattern: RegExp;
  /** What to write instead. */
  readonly write: string;
  /** A text in which the rule finds something. */
  readonly bad: string;
  /** The same in plain English. The rule finds nothing in it. */
  readonly good: string;
  /** Passages to look at; all kinds if absent. */
  readonly kind?: "comment";
  readonly matchCase?: true;
}

export const rules: readonly Rule[] = [
  // Archaic or inverted forms
  {
    name: "be-had",
    pattern: /\b(be|is|are|was|were|being) had\b/,
    write: "available, installed, found",
    bad: "The CLI could not be had.",
    good: "Could not install the CLI.",
  },
  {
    name: "anew",
    pattern: /\banew\b/,
    write: "again, or name the action: renew, recreate",
    bad: "The certificate is made anew.",
    good: "The certificate is renewed.",
  },
  {
    name: "be-it",
    pattern: /\bbe it\b|\bas the case may be\b|\bas it were\b|\bif need be\b|\bso to speak\b/,
    write: "or; leave it out",
    bad: "A host, be it web or database, reports its state.",
    good: "A web or database host reports its state.",
  },
  {
    name: "archaic-word",
    pattern:
      /\b(hence|thus|thereby|whereby|herein|therein|thereof|hereby|upon|whilst|amongst|forthwith|henceforth|likewise|seldom|till|nought|merely|surely|lest|ere)\b/,
    write: "so, in it, on, while, among, also, rarely, until, only, certainly",
    bad: "It merely reads the file.",
    good: "It only reads the file.",
  },
  {
    name: "stands",
    pattern:
      /\b(stand|stands|stood|standing) (for|in(?! for)|on|at|below|beside|above|there|here|between|alone|where|beneath)\b/,
    write: "is; means; replaces; exists",
    bad: "The key stands in one file.",
    good: "The key is in one file.",
  },
  {
    name: "lies",
    pattern:
      /\b(lies|lie|lay|lying) (in|on|at|below|beside|under|there|within|outside|inside|between|beneath)\b/,
    write: "is in, is on",
    bad: "The file lies in the folder of the stack.",
    good: "The file is in the stack's folder.",
  },
  {
    name: "mend",
    pattern: /\bmend(s|ed|ing)?\b/,
    write: "fix, repair",
    bad: "The update mends the record.",
    good: "The update repairs the record.",
  },
  {
    name: "tells",
    pattern:
      /\b(tell|tells|told|telling) (what|which|whether|how|that|no|nothing|of|by|where|why|when|who|its|if|only|so)\b|\b(is|are|was|were|be|been|as) told\b(?! apart)/,
    write: "says, prints, reports, shows",
    bad: "The page tells which settings exist.",
    good: "The page lists the settings.",
  },
  {
    name: "taken-for",
    pattern: /\btaken for\b(?! granted)|\b(takes?|took|taking) (\w+ ){1,4}for (a|an|good|granted)\b/,
    write: "treats as, regards as",
    bad: "A policy never takes an unknown value for a good one.",
    good: "A policy never treats an unknown value as valid.",
  },
  {
    name: "goes-on",
    pattern: /\b(go|goes|went|going) on\b(?! (to|with|to) )/,
    write: "continues",
    bad: "The other members go on.",
    good: "The other members continue.",
  },
  {
    name: "under-way",
    pattern: /\bunder way\b|\bon (its|their|the) way\b/,
    write: "in progress, running",
    bad: "Nothing that is under way is cut.",
    good: "Running requests are not interrupted.",
  },
  {
    name: "to-be",
    pattern: /\b(is|are|was|were) to (be|have|do|go|end|run|give|keep|say|hold)\b/,
    write: "must be, will be",
    bad: "A value that is to be kept is marked.",
    good: "A value that must be kept is marked.",
  },
  {
    name: "no-more",
    pattern: /\b(is|are|counts?|exists?|knows?|good|there|needed) no more(?=\W*$|[.,:;)])/,
    write: "no longer, not anymore",
    bad: "A verdict that is older counts no more.",
    good: "An older verdict no longer counts.",
  },
  {
    name: "for-ever",
    pattern: /\bfor ever\b/,
    write: "forever; name the limit",
    bad: "It would wait for ever.",
    good: "It would never time out.",
  },
  {
    name: "as-ever",
    pattern: /\bas ever\b/,
    write: "as usual, as before",
    bad: "The collector reads the file as ever.",
    good: "The collector reads the file as usual.",
  },
  {
    name: "but-for",
    pattern:
      /\bbut for\b|\b(nothing|none|nobody|no one|nowhere|all|every|everything|no|any|anything)( \w+)? but (the|a|an|those|that|this|what|its|one|their|for|by|in|on|to|at)\b/,
    write: "except; only",
    bad: "Every monitor but those of the objectives is listed.",
    good: "Every monitor except those of the objectives is listed.",
  },
  {
    name: "alone",
    pattern: /(?<!\b(leaves?|left|leaving|let|stand|stands|standing) (\w+ )?)(?<!-)\balone\b(?!-)/,
    write: "only",
    bad: "The file is readable by root alone.",
    good: "Only root can read the file.",
  },
  {
    name: "of-its-own",
    pattern:
      /\bof (its|their|his|your|our|my|one's) own(?= (and|or|that|which|for|in|with|to|from|beside|below|under|on|by|at|as|of|where|when|if|so|is|are|has|whose)\b|[.,;:)]|\s*$)|\bof (yours|theirs|ours)\b/,
    write: "its own X; a separate X",
    bad: "Each host has a certificate of its own.",
    good: "Each host has its own certificate.",
  },
  {
    name: "double-genitive",
    pattern: /\b(a|an|one|another|no|some|any|two|three) \w+ of (the )?\w+'s(?=[.,;:)]|$)/,
    write: "the possessive once: a systemd file",
    bad: "The key is in a file of systemd's.",
    good: "The key is in a systemd file.",
  },
  {
    name: "nobody",
    pattern: /(?<!["'])\b(nobody|somebody)\b/,
    write: "name who: no client, an operator, another process; or use the passive",
    bad: "Nobody knows whether the host runs.",
    good: "It is unknown whether the host runs.",
  },
  {
    name: "headless-who",
    pattern: /(^|[.;:,] )who(ever)? (?!is\b.*\?)[^?.]*[.;]|\bwhoever\b/,
    write: "a noun: anyone who, a user that, if you",
    bad: "Who has no root gets records.",
    good: "Without root, droplets are only records.",
  },
  {
    name: "headless-what",
    pattern: /^\s*What (?!to\b|happens\b)[^?]*$/,
    write: "a noun: The events of a pool",
    bad: "What a pool tells of its connections.",
    good: "The connection events of a pool.",
    kind: "comment",
  },
  {
    name: "sooner",
    pattern: /\bwhich (ends|comes|is|goes|happens) (sooner|first|earlier|later)\b/,
    write: "whichever comes first",
    bad: "It waits for the exit or the deadline, which ends sooner.",
    good: "It waits for the exit or the deadline, whichever comes first.",
  },
  {
    name: "conditional-where",
    pattern:
      /\b(undefined|true|false|null|throws?|fails?|only|except|even|also|empty|absent|none|nothing|zero|error|skipped|refuse[sd]?|\d{3}) where\b|(^|[.;] )Where (it|this|that|they|a|an|the|no|nothing|one|droplets|hosts) /,
    write: "if, when",
    bad: "Throws where the file is missing.",
    good: "Throws if the file is missing.",
  },
  {
    name: "gives",
    pattern: /^\s*Gives\b/,
    write: "Returns",
    bad: "Gives the address of the host.",
    good: "Returns the address of the host.",
    kind: "comment",
  },
  {
    name: "looks-whether",
    pattern: /\b(look|looks|looked|looking|see|sees) (that|whether|if)\b/,
    write: "check, check whether",
    bad: "Look that the group has three members ONLINE.",
    good: "Check that all three members are ONLINE.",
  },
  {
    name: "wants",
    pattern: /(?<!\b(you|who|user|users|operator|client|program|kernel|visitor) )\bwants\b/,
    write: "needs, requires, expects",
    bad: "The policy wants protect on database hosts.",
    good: "The policy requires protect on database hosts.",
  },
  {
    name: "heard",
    pattern: /\b(hear|hears|heard)\b/,
    write: "receives",
    bad: "The configuration is heard through gRPC.",
    good: "The pack receives the configuration through gRPC.",
  },
  {
    name: "means-ill",
    pattern: /\bmeans? (ill|well)\b/,
    write: "malicious",
    bad: "It stops a server that means ill.",
    good: "It stops a malicious server.",
  },
  {
    name: "in-thought",
    pattern: /\bin thought\b/,
    write: "is not evaluated, is not run",
    bad: "The script is not executed in thought.",
    good: "The script is not evaluated.",
  },
  {
    name: "ends-certificate",
    pattern: /\b(certificates?|tokens?|keys?) (\([^)]*\) )?(ends?|has ended|have ended|ended)\b/,
    write: "expires",
    bad: "A certificate ends soon.",
    good: "A certificate expires soon.",
  },
  {
    name: "ends-tls",
    pattern: /\b(ends?|ended|ending) (the )?(TLS|HTTPS)\b|\bTLS ends\b/,
    write: "terminates TLS",
    bad: "The load balancer ends TLS and opens its own.",
    good: "The load balancer terminates TLS and opens a new connection.",
  },
  {
    name: "per-second",
    pattern: /\bin (a|one) second\b(?! (time|place|pass|step|run))/,
    write: "per second, a second; within a second",
    bad: "Requests in a second.",
    good: "Requests per second.",
  },
  {
    name: "in-sum",
    pattern: /\bin sum\b/,
    write: "in total",
    bad: "The sandbox served 200 requests in sum.",
    good: "The sandbox served 200 requests in total.",
  },
  {
    name: "some-number",
    pattern: /\bsome \d/,
    write: "about",
    bad: "It asks some 8 times.",
    good: "It asks about 8 times.",
  },
  {
    name: "passing-away",
    pattern: /\b(old|former) (one|ones|host|hosts) (go|goes)\b/,
    write: "is deleted, is removed",
    bad: "New hosts are created, then the old ones go.",
    good: "New hosts are created, then the old ones are deleted.",
  },
  {
    name: "that-which",
    pattern: /\bthat which\b|\bhe who\b|\bthose that there are\b/,
    write: "the one that",
    bad: "It replaces that which is stale.",
    good: "It replaces the stale file.",
  },
  // One term for one thing
  {
    name: "figure",
    pattern: /\bfigures?\b(?! out)/,
    write: "metric, number, measurement",
    bad: "The agent sends no figures.",
    good: "The agent sends no metrics.",
  },
  {
    name: "error-term",
    pattern: /\bmistakes?\b/,
    write: "error",
    bad: "A mistake in the configuration stops the update.",
    good: "An error in the configuration stops the update.",
  },
  {
    name: "fault",
    pattern: /\bfaults?\b(?![- ]toleran)/,
    write: "error, bug, failure",
    bad: "The journal shows a fault of the program.",
    good: "The journal shows a bug in the program.",
  },
  {
    name: "judge",
    pattern: /\bjudg(e|es|ed|ing|ment|ments)\b/,
    write: "check, evaluate, assess",
    bad: "The policy judges the resource.",
    good: "The policy checks the resource.",
  },
  {
    name: "product-name",
    pattern:
      /\b(Digital Ocean|Digitalocean|Github|Javascript|Typescript|Nodejs|Mysql|Haproxy|Lets Encrypt)\b/,
    write:
      "the product's own spelling: DigitalOcean, GitHub, JavaScript, TypeScript, Node.js, MySQL, HAProxy",
    bad: "Nodejs and Mysql are installed.",
    good: "Node.js and MySQL are installed.",
    matchCase: true,
  },
];
