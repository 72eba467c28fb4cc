#!/bin/bash
# Runs one host in the foreground, over all its reboots, and ends when the host powers off. It must run in its own
# mount namespace (unshare --mount --propagation private): the host's root, its cgroups and its disks are only mounted
# there, so nothing is left when the last process of the host has ended.
#
# boot.sh DIR LOWER NAMESPACE MACHINE HOSTNAME CGROUP [DISK=DEVICE ...]
#
# DIR contains upper/ work/ root/ disks/; LOWER is overlayfs' list of layers; DISK is a name in /dev/disk/by-id and
# DEVICE its block device.
set -euo pipefail
dir=$1 lower=$2 namespace=$3 machine=$4 hostname=$5 cgroup=$6
shift 6

mount -t overlay overlay -o "lowerdir=$lower,upperdir=$dir/upper,workdir=$dir/work" "$dir/root"

# A tmpfs accepts device nodes even if the state's own file system does not. A disk that is attached later gets its
# node through this namespace, and a reboot inside the host keeps them all.
mount -t tmpfs -o mode=0755 disks "$dir/disks"
for disk in "$@"; do
	read -r major minor < <(stat --format='%Hr %Lr' "${disk#*=}")
	mknod -m 0660 "$dir/disks/${disk%%=*}" b "$major" "$minor"
done

# The CPU cap for the whole host is set from outside (Host.capCpu): with cgroup v1 in this folder, otherwise in
# cgroup2.
if [ -e /sys/fs/cgroup/cpu/cgroup.procs ]; then
	mkdir -p "/sys/fs/cgroup/cpu/$cgroup"
	echo $$ >"/sys/fs/cgroup/cpu/$cgroup/cgroup.procs"
fi

# systemd as PID 1 needs only cgroup2, but the machine may have v1 mounted here.
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
tree=/sys/fs/cgroup/$cgroup
mkdir -p "$tree/boot"
# Limits of units work inside the host if this machine has cgroup2 controllers to delegate.
for folder in /sys/fs/cgroup "$(dirname "$tree")" "$tree"; do
	for controller in cpu io memory pids; do
		echo "+$controller" >"$folder/cgroup.subtree_control" 2>/dev/null || true
	done
done
echo $$ >"$tree/boot/cgroup.procs"

in_namespace=(nsenter --net="/run/netns/$namespace")

# The host can change net.* settings of its namespace (API_VFS_WRITABLE). IPAddressDeny and similar settings of units
# need bpf. nspawn starts inside the namespace; otherwise /sys would show this machine's interfaces.
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
start() {
	(
		echo "$BASHPID" >"$tree/host/cgroup.procs"
		exec "${in_namespace[@]}" systemd-nspawn --quiet --boot --register=no --keep-unit \
			--machine="$machine" --hostname="$hostname" --directory="$dir/root" \
			--network-namespace-path="/run/netns/$namespace" \
			--bind="$dir/disks:/dev/disk/by-id" \
			--resolv-conf=off --timezone=off --link-journal=no --console=pipe --kill-signal=SIGRTMIN+3 \
			--capability=CAP_NET_ADMIN,CAP_NET_RAW,CAP_SYS_RESOURCE,CAP_BPF,CAP_PERFMON --system-call-filter=bpf
	)
}

# nspawn exits with 133 when the host requested a reboot (systemd-nspawn(1), --keep-unit); the loop then boots it
# again. Addresses and packet filters are lost, as in a real reboot. Leftover cgroup folders are removed, because
# services of the new boot would be killed in them.
status=133
while [ $status -eq 133 ]; do
	if [ -d "$tree/host" ]; then
		find "$tree/host" -depth -type d -exec rmdir {} +
		for device in eth0 eth1; do
			"${in_namespace[@]}" sh -c "ip address flush dev $device && ip link set $device down" 2>/dev/null || true
		done
		"${in_namespace[@]}" nft flush ruleset
	fi
	mkdir "$tree/host"
	status=0
	start || status=$?
done
exit "$status"
