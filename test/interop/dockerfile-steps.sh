#!/usr/bin/env bash
# Runs the steps of the Dockerfile without Docker: what its build stage copies and runs, in a fresh clone; then what the second stage
# takes from there, alone in a folder, started with the variables it sets, asked for its health and stopped.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true; rm -rf "$scratch"' EXIT

git clone --quiet "$root" "$scratch/src"
cd "$scratch/src"
# .dockerignore keeps these out of the build.
while read -r pattern; do [ -z "$pattern" ] || rm -rf -- $pattern; done < .dockerignore
# RUN lines of the first stage, in their order.
awk '/^FROM /{stage++} stage == 1 && sub(/^RUN /, "")' Dockerfile > "$scratch/steps"
while read -r command; do
  printf '+ %s\n' "$command"
  bash -c "$command" < /dev/null
done < "$scratch/steps"

mkdir -p "$scratch/app" "$scratch/data" "$scratch/seed/records"
printf '{"value":"one"}\n' > "$scratch/seed/records/orders.jsonl"
for path in node_modules dist package.json LICENSE NOTICE; do cp -R "$path" "$scratch/app/"; done
cd "$scratch"
rm -rf "$scratch/src"
for dev in typescript vitest esbuild; do
  [ ! -e "app/node_modules/$dev" ] || { echo "$dev is only for development"; exit 1; }
done

awk '/^ENV /{on=1} on{sub(/^ENV /, ""); more=sub(/ *\\$/, ""); print $1; if (!more) on=0}' "$root/Dockerfile" > variables
mapfile -t variables < <(sed 's#=/\(data\|seed\)$#='"$scratch"'/\1#' variables)
env -i PATH="$PATH" "${variables[@]}" KAFKITO_PORT=0 KAFKITO_HTTP_PORT=0 node app/dist/cli.cjs start > out 2> err &
server=$!
for _ in $(seq 100); do
  grep -q '^READY ' out && break
  kill -0 "$server" || { cat err; exit 1; }
  sleep 0.1
done
cat out err
url=$(sed -n 's#^READY .*http=http://[^ :]*:\([0-9]*\) .*#http://127.0.0.1:\1#p' out)
node app/dist/cli.cjs health --url "$url"
[ -d data/broker-1/orders-0 ] || { echo 'the seed is not in place'; exit 1; }
kill -TERM "$server"
wait "$server"
server=
[ -f data/broker-1/meta.properties ] || { echo 'no data in the volume'; exit 1; }
du -sh app | sed 's/\t.*/ in the image besides Node/'
echo '1 passed, 0 failed'
