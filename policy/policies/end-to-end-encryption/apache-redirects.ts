/** Virtual hosts of Apache that serve nothing in plain text: they only redirect to HTTPS, or refuse. */
import type { PlacedDirective } from "../../evidence/directive-tree";

/** Directives that add nothing to the responses of a redirect, in lower case. */
const inert = new Set(
  `servername serveralias serveradmin serversignature servertokens usecanonicalname documentroot directoryindex errorlog
  customlog loglevel logformat transferlog header requestheader rewriteengine rewriteoptions options allowoverride require
  order allow deny satisfy errordocument keepalive keepalivetimeout timeout protocols limitrequestbody traceenable
  sslengine setenvif redirect redirectpermanent redirecttemp redirectmatch rewriterule rewritecond alias`.split(
    /\s+/,
  ),
);

const folders = new Set(["directory", "directorymatch", "files", "filesmatch", "location", "locationmatch"]);

/** True if a virtual host answers every request with a redirect to HTTPS or an error, except ACME challenges. */
export function onlyRedirects(block: readonly PlacedDirective[]): boolean {
  return block.every(isInert) && (redirectsEverything(block) || deniesEverything(block));
}

function isInert({ name, args, block }: PlacedDirective): boolean {
  if (block !== undefined) return folders.has(name) && block.every(isInert);
  if (name === "alias") return (args[0] ?? "").startsWith("/.well-known/acme-challenge");
  if (name === "rewriterule") return !hasFlag(args[2], /^(?:P|proxy)$/i);
  return inert.has(name);
}

/** True if one of the directives redirects every request, or every one but ACME challenges. */
export function redirectsEverything(block: readonly PlacedDirective[]): boolean {
  const rewrites = block.some(({ name, args }) => name === "rewriteengine" && /^on$/i.test(args[0] ?? ""));
  let conditions: PlacedDirective[] = [];
  for (const directive of block) {
    const { name, args } = directive;
    if (name === "rewritecond") conditions.push(directive);
    if (name !== "rewriterule") {
      if (isRedirect(name, args)) return true;
      continue;
    }
    const [pattern = "", target = "", flags] = args;
    const isHttps = target.startsWith("https://") && hasFlag(flags, /^(?:R|redirect)(?:=3\d\d|=\w+)?$/i);
    const refuses = target === "-" && hasFlag(flags, /^(?:F|forbidden|G|gone|R=4\d\d)$/i);
    if (rewrites && everyPath.test(pattern) && (isHttps || refuses) && conditions.every(isAlwaysTrue))
      return true;
    conditions = [];
  }
  return false;
}

/** Patterns that match every path, or every one except ACME challenges. */
const everyPath =
  /^(?:\^|\^?(?:\/\??)?\(?\.[*?+]*\)?\$?|\^?\/?\(\?!(?:\\?\/)?\\?\.well-known(?:\/acme-challenge)?\/?\)\/?\(?(?:\.[*+])?\)?\$?)$/;

function isRedirect(name: string, args: readonly string[]): boolean {
  const rest = name === "redirect" || name === "redirectmatch" ? [...args] : ["302", ...args];
  if (!/^redirect(?:permanent|temp|match)?$/.test(name)) return false;
  const status = /^(?:permanent|temp|seeother|gone|[345]\d\d)$/i.test(rest[0] ?? "") ? rest.shift() : "302";
  const [from = "", target] = rest;
  const isEvery = name === "redirectmatch" ? everyPath.test(from) : from === "/";
  if (!isEvery) return false;
  return target === undefined ? /^(?:gone|4\d\d)$/i.test(status ?? "") : target.startsWith("https://");
}

const hasFlag = (flags: string | undefined, flag: RegExp) =>
  (flags ?? "")
    .replace(/^\[|\]$/g, "")
    .split(",")
    .some((one) => flag.test(one.trim()));

/** Conditions that every plain text request meets, and the exception for ACME challenges. */
function isAlwaysTrue({ args }: PlacedDirective): boolean {
  const condition = args.join(" ");
  return (
    /^%\{HTTPS\} (?:off|=off|"?!=?on"?)(?: \[NC\])?$/i.test(condition) ||
    /^%\{SERVER_PORT\} (?:=?80|\^80\$|!=?443|!\^443\$)$/i.test(condition) ||
    /^%\{REQUEST_SCHEME\} (?:=?http|!=?https)$/i.test(condition) ||
    /^%\{REQUEST_URI\} !\^?\/?\\?\.well-known\//i.test(condition)
  );
}

function deniesEverything(block: readonly PlacedDirective[]): boolean {
  return block.some(
    ({ name, args, block: inner = [] }) =>
      name === "location" &&
      args[0] === "/" &&
      inner.length === 1 &&
      inner[0]?.name === "require" &&
      inner[0].args.join(" ").toLowerCase() === "all denied",
  );
}
