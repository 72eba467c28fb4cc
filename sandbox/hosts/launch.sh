#!/bin/bash
# launch.sh FILE COMMAND...: writes its identity (process id, boot id and start time) into FILE, then becomes COMMAND.
# After a stop or kill, the driver finds this process with it, and does not confuse it with another process that has
# reused the id.
set -euo pipefail
file=$1
shift
start=$(awk '{ sub(/.*\) /, ""); print $20 }' /proc/$$/stat)
echo "$$ $(cat /proc/sys/kernel/random/boot_id)/$start" >"$file.new"
mv "$file.new" "$file"
exec "$@"
