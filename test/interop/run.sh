#!/usr/bin/env bash
# Runs the suites of the foreign clients; the options are those of run.ts (--help).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ -d node_modules/tsx ] || npm ci >&2
exec node --import tsx test/interop/run.ts "$@"
