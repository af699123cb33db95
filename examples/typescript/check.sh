#!/usr/bin/env bash
# Everything from scratch: builds and tests the package, tries it as a user would, runs the C++ of the React Native module,
# and pairs the phone with the Go tenant through the Rust relay. Needs Node 20 or later, g++, Go, target/release/pulse-relay
# and target/capi/libpulse_trust.a.
set -euo pipefail
cd "$(dirname "$0")"
root=$PWD/../..
for tool in node npm g++ go; do
  command -v $tool >/dev/null || { echo "examples/typescript needs $tool" >&2; exit 1; }
done
library=$root/target/capi/libpulse_trust.a
[ -f "$library" ] || { echo "no $library: cargo rustc --profile capi --lib --features capi --crate-type staticlib" >&2; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

echo "== build and vectors"
npm ci --no-audit --no-fund
npm test

echo "== the packed package, and the README's quickstart"
npm pack --silent --pack-destination "$scratch"
packed=$(tar -tzf "$scratch"/pulse-trust-*.tgz)
for file in LICENSE README.md pulse_trust.wasm dist/node.js dist/index.js dist/embedded.js dist/embedded_wasm.js dist/index.d.ts; do
  grep -qx "package/$file" <<<"$packed" || { echo "the package lacks $file" >&2; exit 1; }
done
# What a registry refuses or shows: whose it is, under which license, and that the build is signed for.
for field in license repository.url repository.directory homepage publishConfig.access publishConfig.provenance; do
  value=$(npm pkg get "$field")
  [ "$value" != '{}' ] || { echo "package.json lacks $field" >&2; exit 1; }
done
private=$(npm pkg get private)
[ "$private" = '{}' ] || { echo "package.json is private" >&2; exit 1; }
mkdir "$scratch/try"
cd "$scratch/try"
echo '{"private":true}' > package.json
npm install --no-audit --no-fund --offline "$scratch"/pulse-trust-*.tgz
packages=$(find node_modules -name package.json)
count=$(wc -l <<<"$packages")
[ "$count" = 1 ] || { echo "the package has a dependency" >&2; exit 1; }
awk '/^```js quickstart try.mjs$/ { on = 1; next } /^```$/ { on = 0 } on' "$OLDPWD/README.md" > try.mjs
node try.mjs | tee out.txt
grep -q '^compare: \([0-9A-F]\{2\}:\)\{31\}[0-9A-F]\{2\}$' out.txt
grep -q '^GET /api/status$' out.txt
# Its types hold for a strict user who has neither Node's types nor skipLibCheck.
cp try.mjs try.mts
"$OLDPWD/node_modules/.bin/tsc" --noEmit --strict --module nodenext --target es2022 --lib es2022,dom --types "" try.mts
cd "$OLDPWD"

echo "== the C++ of the React Native module"
g++ -std=c++17 -Wall -Wextra -Werror -pedantic -g -fsanitize=address,undefined -fno-sanitize-recover -I "$root/include" \
  react-native/PulseTrustCalls.cpp react-native/calls_test.cpp "$library" -lpthread -ldl -lm -o "$scratch/calls_test"
"$scratch/calls_test"

echo "== the phone, the relay and the tenant"
npm run test:relay
echo "examples/typescript: all holds"
