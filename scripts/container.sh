#!/bin/bash
# Runs npm start in a privileged container or a virtual machine with Debian 13, as root, and leaves a shell in it.
#
#   docker run --rm -it --privileged -v "$PWD":/src:ro -v secured-web:/root debian:13 bash /src/scripts/container.sh
#
# Works on a copy in /root: the packages in node_modules are of one operating system, and hosts' disks need a file
# system that is no overlay.
set -euo pipefail
source=$(cd "$(dirname "$0")/.." && pwd)
copy=/root/secured-web

if ! command -v npm >/dev/null; then
	apt-get update -q
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends nodejs npm ca-certificates
fi
mkdir -p "$copy"
tar -C "$source" --exclude=./node_modules --exclude='*/node_modules' --exclude='*/build' --exclude=./.secured-web -cf - . |
	tar -C "$copy" -xf -
cd "$copy"
npm start -- --yes
[ -t 0 ] && exec bash
