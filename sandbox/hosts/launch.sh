#!/bin/bash
# launch.sh FILE COMMAND...: becomes COMMAND, after writing into FILE who it is: process number, boot and start time.
# A driver that was stopped or killed finds the process again by it, and no other that got the number since.
set -euo pipefail
file=$1
shift
start=$(awk '{ sub(/.*\) /, ""); print $20 }' /proc/$$/stat)
echo "$$ $(cat /proc/sys/kernel/random/boot_id)/$start" >"$file.new"
mv "$file.new" "$file"
exec "$@"
