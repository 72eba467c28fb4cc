#!/bin/bash
# as-client.sh COMMAND...: becomes COMMAND, in its own mount namespace, with the sandbox's name server.
set -euo pipefail
mount --bind "$(dirname "$0")/client-resolv.conf" /etc/resolv.conf
resolved=/run/systemd/resolve/io.systemd.Resolve
if [ -e $resolved ]; then mount --bind /dev/null $resolved; fi
exec "$@"
