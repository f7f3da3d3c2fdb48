#!/usr/bin/env bash
# The step of action.yml: builds kafkito when it is not built, starts it beside the job with the KAFKITO_ variables that it is given, and
# ends when clients may come. Outputs go to the file that GITHUB_OUTPUT names.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
log=$(mktemp "${RUNNER_TEMP:-/tmp}/kafkito-XXXXXX.log")

if [ ! -e "$root/dist/cli.cjs" ]; then
  (cd "$root" && npm ci --ignore-scripts --no-audit --no-fund && node build.mjs --no-types) >&2
fi
# An input that is not given comes as an empty variable.
[ -z "${SEED_DIR:-}" ] || export KAFKITO_SEED_DIR=$SEED_DIR
nohup node "$root/dist/cli.cjs" start --memory --http-port 0 < /dev/null > "$log" 2> "$log.err" &
server=$!
for _ in $(seq 600); do
  if grep -q '^READY ' "$log"; then
    sed -n 's/^READY bootstrap=\([^ ]*\) http=\([^ ]*\) .*/bootstrap-servers=\1\nhttp-url=\2/p' "$log" >> "$GITHUB_OUTPUT"
    echo "pid=$server" >> "$GITHUB_OUTPUT"
    cat "$log"
    exit 0
  fi
  kill -0 "$server" 2> /dev/null || { cat "$log.err" >&2; exit 1; }
  sleep 0.1
done
echo 'kafkito was not ready within a minute.' >&2
cat "$log.err" >&2
kill "$server"
exit 1
