#!/bin/bash
# Runs npm start as root in a privileged container or a virtual machine with Debian 13, and leaves you in a shell.
#
# docker run --rm -it --privileged -v "$PWD":/src:ro -v secured-web:/root debian:13 bash /src/scripts/container.sh
#
# It works on a copy in /root, because the packages in node_modules depend on the operating system, and hosts' disks
# need a file system other than overlay.
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
