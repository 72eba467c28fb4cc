// The shortest way to run hosts if this machine or user cannot run them. Plain JavaScript, for npm run doctor.

/** Runs scripts/container.sh in Debian 13, with a volume for disks and caches, which must not be on an overlay. */
export const CONTAINER_COMMAND =
  'docker run --rm -it --privileged -v "$PWD":/src:ro -v secured-web:/root debian:13 bash /src/scripts/container.sh';

/** A sentence with a command; undefined if this machine and user can run hosts. */
export function wayToHosts(platform = process.platform, uid = process.getuid?.()) {
  if (platform === "linux" && uid === 0) return undefined;
  const container = `in a container: ${CONTAINER_COMMAND}`;
  return platform === "linux"
    ? `They boot as root (sudo npm start), or ${container}`
    : `They boot on Linux, such as ${container}`;
}
