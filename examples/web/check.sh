#!/usr/bin/env bash
# Builds the page and tests it in Debian's Chromium (CHROMIUM: another one). Needs Node 20 or later; it installs whatever
# else is missing, with npm and, as root, apt-get.
set -euo pipefail
cd "$(dirname "$0")"

packages=()
[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || packages+=(chromium)
command -v zbarimg >/dev/null || packages+=(zbar-tools)
if [ ${#packages[@]} -gt 0 ]; then
  apt-get update -q
  apt-get install -y -q --no-install-recommends "${packages[@]}"
fi

# demo.test.mjs opens the page of the installed tool's demonstration.
cargo build --quiet --package pulse-trust-cli
npm --prefix ../typescript ci --no-audit --no-fund
npm --prefix ../typescript run build
npm ci --no-audit --no-fund
npm run build
npm test
echo "examples/web: $PWD/dist/index.html is built and tested"
