#!/bin/bash
# Runs in the User Mode Linux guest, and tells on the console, in lines that begin with "PROOF", what it measures.
#
#   weights WEB DATABASE     what the kernel has as cpu.weight of the two slices, as systemd has set them
#   latency PHASE US         microseconds of a CPU-bound query of the real mysqld: idle, with the weights, without them
#   memory PHASE RESULT      how a program ended that takes 450 MB in app.slice ("oom-kill", "success")
#   mysqld PHASE STATE       its process number and restarts, and the kernel's kills in its slice: all must stay as they are
#
# Usage: guest.sh ROUNDS TURNS: the work of a query, and how often each phase has its turn.
set -uo pipefail
rounds=$1 turns=$2
cgroup=/sys/fs/cgroup

# A line break first: what the kernel or systemd was writing ends there.
tell() { printf '\nPROOF %s\n' "$*" >/dev/console; }

coproc client { mysql --no-defaults --socket=/run/mysqld/mysqld.sock --user=root --batch --skip-column-names --unbuffered; }

query() {
	local answer
	echo "$1" >&"${client[1]}"
	read -r -t 60 -u "${client[0]}" answer && echo "$answer"
}

# The server's own clock, so that neither this shell nor the client is part of it.
latency() {
	tell "latency $1 $(query "SET @begin = SYSDATE(6); DO BENCHMARK($rounds, SHA2('probe', 512)); SELECT TIMESTAMPDIFF(MICROSECOND, @begin, SYSDATE(6));")"
}

hogs() {
	for hog in 1 2 3; do
		systemctl "$1" "hog@$hog.service"
	done
}

# web.slice's and database.slice's share of the CPU, in the kernel itself: systemd takes seconds beside three hogs.
set_weights() {
	echo "$1" >$cgroup/web.slice/cpu.weight
	echo "$2" >$cgroup/database.slice/cpu.weight
}

cpu() {
	local web database
	hogs start
	web=$(<$cgroup/web.slice/cpu.weight) database=$(<$cgroup/database.slice/cpu.weight)
	tell "weights $web $database"
	# In turns, so that whatever else this machine does falls on all phases alike.
	for ((turn = 0; turn < turns; turn++)); do
		echo 1 >$cgroup/web.slice/cgroup.freeze
		latency idle
		echo 0 >$cgroup/web.slice/cgroup.freeze
		latency with
		set_weights 100 100
		latency without
		set_weights "$web" "$database"
	done
	hogs stop
}

mysqld_state() {
	systemctl show mysql.service --property=MainPID,NRestarts,ActiveState | paste -sd ' '
}

memory() {
	systemctl start "glutton@$1.service"
	tell "memory $1 $(systemctl show "glutton@$1.service" --property=Result --value)"
	tell "mysqld $1 $(mysqld_state) kills=$(awk '$1 == "oom_kill" { print $2 }' $cgroup/database.slice/memory.events)"
	tell "answer $1 $(query 'SELECT 1;')"
}

tell "cgroup $(systemctl show mysql.service --property=ControlGroup --value) $(<$cgroup/cgroup.controllers)"
tell "mysqld begin $(mysqld_state) kills=0"
cpu
memory with
systemctl set-property --runtime app.slice MemoryMax=infinity
memory without
if [[ $(mysqld_state) != *=active ]]; then
	journalctl --no-pager --unit=mysql.service | tail -n 20 >/dev/console
	tail -n 20 /var/log/mysql/error.log >/dev/console
fi
tell "end"
# The console has everything, and a clean shutdown takes longer.
systemctl poweroff --force --force
