#!/bin/bash
# Tries the two commands of the README on a fresh Debian 13 that has Node.js and nothing else.
#
#   test/fresh/run.sh [start] [test]     as root on Linux with mmdebstrap; both where neither is named
#
# Builds the root filesystem (kept in the cache folder), copies it, puts a clone of this work tree's HEAD into it and
# enters it as a machine of its own: own mounts, processes and host name; network and kernel are this machine's. What
# runs inside is in inside.sh. Prints the times, and leaves nothing but the root filesystem. FRESH_KEEP=1 keeps the
# copy as well.
set -euo pipefail
project=$(cd "$(dirname "$0")/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/secured-web/fresh
base=$cache/debian-13
[ $# -gt 0 ] || set -- start test

mkdir -p "$cache"
if [ ! -e "$base/complete" ]; then
	rm -rf "$base"
	mkdir "$base"
	mmdebstrap --variant=minbase --mode=root --format=directory --include=nodejs,npm,ca-certificates \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' \
		trixie "$base/rootfs"
	touch "$base/complete"
fi

root=$(mktemp -d "$cache/machine.XXXXXX")
machine=
clean_up() {
	# unshare ignores a friendly signal; its end is the end of all processes in the pid namespace.
	[ -z "$machine" ] || kill -KILL "$machine" 2>/dev/null || true
	if [ -n "${FRESH_KEEP-}" ]; then echo "kept: $root"; else rm -rf "$root"; fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
cp -a --reflink=auto "$base/rootfs/." "$root"
git clone --quiet --no-hardlinks "$project" "$root/root/secured-web"
git -C "$root/root/secured-web" checkout --quiet "$(git -C "$project" rev-parse HEAD)"
# The way to the registries: names, and the certificates that this machine trusts.
cp /etc/resolv.conf /etc/hosts "$root/etc/"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"

# shellcheck disable=SC2016  # $0 and $@ are the inner shell's
enter='
	mount --bind "$0" "$0"
	cd "$0"
	mount -t proc proc proc
	mount --rbind /sys sys
	mount --rbind /dev dev
	mount -t tmpfs tmpfs run
	hostname fresh
	mkdir -p .old
	pivot_root . .old
	umount -l /.old
	exec env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
		NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
		bash /root/secured-web/test/fresh/inside.sh "$@"'
unshare --mount --propagation private --pid --fork --kill-child --uts --ipc -- bash -euc "$enter" "$root" "$@" &
machine=$!
wait "$machine"
