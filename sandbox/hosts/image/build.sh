#!/bin/bash
# Recipe of the base image: what a droplet of the sandbox has on its disk before cloud-init runs.
#
#   build.sh DIRECTORY     as root; the directory must not exist. About 90 seconds, 200 MB of downloads.
#
# Debian 13 stands in for every image slug, because Ubuntu's archive is not to be had everywhere. Every package that
# user data may name is already here: droplets of the sandbox have no way out to the internet, so on a host `apt-get
# update` finds no source (which succeeds) and `apt-get install` finds the package installed.
# image.ts keeps the result under the hash of this file: a changed line makes a new image.
set -euo pipefail
root=$1

# A droplet's own system: systemd as PID 1, cloud-init, networkd and resolved, SSH, time, upgrades, logs.
system=(
	systemd systemd-sysv systemd-resolved udev dbus libpam-systemd cloud-init dhcpcd-base
	openssh-server sudo chrony unattended-upgrades logrotate cron rsyslog apparmor
	ca-certificates gnupg openssl iproute2 iputils-ping procps psmisc kmod e2fsprogs acl less
)
# What user data installs: web server, proxy, runtime, firewall; and what an operator looks around with.
roles=(
	nginx libnginx-mod-stream haproxy nodejs npm nftables python3 python3-yaml
	curl jq socat tcpdump netcat-openbsd bind9-dnsutils xfsprogs
)
# MySQL with group_replication.so and mysql_clone.so is in sid alone (13 has MariaDB, which has no Group Replication).
from_sid=(mysql-server mysql-client)

include=$(IFS=, && echo "${system[*]},${roles[*]}")

# The mirror is the one that mmdebstrap takes by default; sid comes from the same place, read from the new root's
# own sources. Valid-Until is not checked because a snapshot mirror's Release is past its date; signatures are.
# shellcheck disable=SC2016  # $1 is mmdebstrap's, for the hook
use_sid='
  sources=$(cat "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*.list "$1"/etc/apt/sources.list.d/*.sources 2>/dev/null || true)
  mirror=$(printf "%s\n" "$sources" | grep -oE "[a-z]+://[^ ]+" | head -n 1)
  printf "deb %s sid main\n" "$mirror" > "$1"/etc/apt/sources.list.d/sid.list
  printf "Package: *\nPin: release n=sid\nPin-Priority: 100\n" > "$1"/etc/apt/preferences.d/sid
  printf "#!/bin/sh\nexit 101\n" > "$1"/usr/sbin/policy-rc.d
  chmod 0755 "$1"/usr/sbin/policy-rc.d
  cp /etc/resolv.conf /etc/hosts "$1"/etc/'
# shellcheck disable=SC2016
install_from_sid='chroot "$1" apt-get update && DEBIAN_FRONTEND=noninteractive chroot "$1" apt-get install -y -t sid '"${from_sid[*]}"

# The package makes a database at its installation, which no droplet may have. It does so with a SHUTDOWN in mysqld's
# --init-file, which races with the end of the initialization (seen: the installation fails on a busy machine). With
# this program in the place of mysqld, it makes none.
# shellcheck disable=SC2016
without_mysqld='
  printf "#!/bin/sh\nexit 0\n" > "$1"/usr/local/sbin/mysqld
  chmod 0755 "$1"/usr/local/sbin/mysqld'

# Nothing that identifies a machine may be shared by all droplets: machine id, host keys, a database's files.
# shellcheck disable=SC2016
clean='
  rm -rf "$1"/usr/sbin/policy-rc.d "$1"/usr/local/sbin/mysqld "$1"/etc/hostname "$1"/etc/ssh/ssh_host_* "$1"/var/lib/mysql/* "$1"/var/lib/cloud \
    "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin "$1"/var/cache/apt/archives/*.deb "$1"/var/log/mysql/* \
    "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/* "$1"/etc/apt/apt.conf.d/99mmdebstrap
  : > "$1"/etc/machine-id
  printf "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n" > "$1"/etc/hosts
  printf "# A droplet of the sandbox has no way out: every package that it may ask for is installed.\n" > "$1"/etc/apt/sources.list
  ln -sf ../run/systemd/resolve/stub-resolv.conf "$1"/etc/resolv.conf
  ln -sf /usr/share/zoneinfo/Etc/UTC "$1"/etc/localtime'

# As on DigitalOcean: networkd carries out what cloud-init writes. A service starts once user data has set it up; the
# packages' timers that ask for updates would only wait for a network that is not there.
# shellcheck disable=SC2016
units='
  chroot "$1" systemctl --quiet enable systemd-networkd systemd-resolved ssh
  chroot "$1" systemctl --quiet disable mysql nginx haproxy rsyslog apparmor systemd-networkd-wait-online
  chroot "$1" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer man-db.timer e2scrub_all.timer \
    systemd-udevd.service systemd-udevd-kernel.socket systemd-udevd-control.socket systemd-udev-trigger.service'

exec mmdebstrap --variant=minbase --mode=root --format=directory --include="$include" \
	--aptopt='APT::Install-Recommends "false"' \
	--aptopt='Acquire::Languages "none"' \
	--aptopt='Acquire::Check-Valid-Until "false"' \
	--aptopt='Acquire::Retries "3"' \
	--dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/doc/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' \
	--dpkgopt=force-unsafe-io \
	--customize-hook="$use_sid" \
	--customize-hook="$without_mysqld" \
	--customize-hook="$install_from_sid" \
	--customize-hook="$clean" \
	--customize-hook="$units" \
	trixie "$root"
