#!/bin/bash
# Runs inside the fresh machine (see run.sh): the two commands, each timed. The first one that fails ends it.
set -euo pipefail
cd /root/secured-web
export SECURED_WEB_API_PORT=${SECURED_WEB_API_PORT:-8097}
results=()

# Runs a command, and notes how long it took.
timed() {
	local what=$1 begun=$EPOCHREALTIME
	shift
	echo "=== $what: $*"
	"$@" </dev/null
	results+=("$(awk -v a="$begun" -v b="$EPOCHREALTIME" -v what="$what" 'BEGIN { printf "%7.1f s  %s", b - a, what }')")
}

# No alert is triggered, every backend is healthy, the uptime check is UP: what `npm start` leaves behind.
green() {
	npm run -s status -- --json >/tmp/status.json
	node -e '
		const { triggered, backends, uptime } = JSON.parse(require("node:fs").readFileSync("/tmp/status.json", "utf8"));
		const states = uptime.flatMap(({ regions }) => Object.values(regions));
		const isGreen = triggered?.length === 0 && backends.length > 0 && backends.every((one) => one.isHealthy) &&
			states.length > 0 && states.every((state) => state === "UP");
		if (!isGreen) { console.error("not green:", JSON.stringify({ triggered, backends, uptime }, null, 2)); process.exit(1); }'
}

# The curl line that npm start prints.
site_answers() {
	local line
	line=$(grep -m 1 -E '^ +curl .*--resolve' /tmp/start.log)
	bash -c "$line --silent --show-error --fail" | grep -q foobar
}

start() {
	npm start -- --yes 2>&1 | tee /tmp/start.log
}

for part in "$@"; do
	case $part in
	start)
		timed "npm start, empty caches" start
		timed "the site answers" site_answers
		timed "npm run status is green" green
		timed "npm start again, nothing to do" start
		timed "npm stop" npm stop
		timed "npm start, caches filled" start
		timed "npm run status is green" green
		timed "npm stop" npm stop
		# Debian starts a service when its package is installed, or at the next boot: neither may have happened.
		! find /etc/systemd/system -name 'nginx.service' -o -name 'haproxy.service' | grep .
		;;
	test) timed "npm test" env CI=true npm test ;;
	*)
		echo "no part $part: start or test" >&2
		exit 2
		;;
	esac
done
printf '\nOn a fresh Debian 13 with Node.js %s, %s cores:\n' "$(node -p process.versions.node)" "$(nproc)"
printf '%s\n' "${results[@]}"
