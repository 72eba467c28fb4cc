/** Says whether a command of Docker or Podman can change the host. */
import type { ShellWord } from "../parsers/shell-word";
import { isOwnFolder, isServicePath } from "./known-commands";
import { isOperand } from "./script-words";

/** The reason why the effect of the command is unknown; undefined if it changes only the container. */
export function whyContainers(args: readonly ShellWord[]): string | undefined {
  const texts = args.map(({ text }) => text);
  if (texts.some((text) => /--privileged|--pid=host|^\/var\/run\/docker\.sock/.test(text)))
    return "a container can change the host";
  const mounts = args.filter((_, at) => /^(?:-v|--volume|--mount)$/.test(texts[at - 1] ?? ""));
  const joined = args.filter(({ text }) => /^(?:--volume=|--mount=|-v.)/.test(text));
  const isRisky = ({ text, known }: ShellWord) => {
    const source = text.replace(/^(?:--volume=|--mount=|-v)/, "");
    return (
      (!known && !source.startsWith("/")) ||
      /^\/:|^\/etc|source=\/(?:,|etc)/.test(source) ||
      (isServicePath(source.split(":")[0] ?? "") && !isOwnFolder(source))
    );
  };
  if ([...mounts, ...joined].some(isRisky)) return "a container can change files of the host";
  const at = texts.indexOf("cp");
  const target =
    at === -1
      ? undefined
      : args
          .slice(at + 1)
          .filter(isOperand)
          .at(-1);
  if (target !== undefined && !target.text.includes(":") && (!target.known || isServicePath(target.text)))
    return "a container can change files of the host";
  return texts[0] === "exec" || texts.includes("exec") ? "it runs a command in a container" : undefined;
}
