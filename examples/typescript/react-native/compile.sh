#!/usr/bin/env bash
# Makes the specification with React Native's codegen and compiles the module against its headers, in a scratch folder,
# without running any of it. It downloads React Native, so check.sh does not call it. Needs `npm ci && npm run build` before.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=0.86.3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
echo '{"private":true}' > package.json
npm install --ignore-scripts --no-audit --no-fund --legacy-peer-deps "react-native@$version" "@react-native/codegen@$version"

node - "$here/NativePulseTrust.ts" "$scratch" <<'JS'
const [file, outputDirectory] = process.argv.slice(2);
const { combineSchemas } = require("@react-native/codegen/lib/cli/combine/combine-js-to-schema");
const { generate } = require("@react-native/codegen/lib/generators/RNCodegen");
const options = { libraryName: "PulseTrustSpec", schema: combineSchemas([file]), outputDirectory, packageName: "x" };
generate({ ...options, assumeNonnull: true, useLocalIncludePaths: true }, { generators: ["modulesCxx"] });
JS

# phone.ts against the package's types and React Native's.
mkdir -p node_modules/@pulse/trust
cp -r "$here/../package.json" "$here/../dist" node_modules/@pulse/trust/
cp "$here/NativePulseTrust.ts" "$here/phone.ts" .
"$here/../node_modules/.bin/tsc" --noEmit --strict --module esnext --moduleResolution bundler --target es2022 \
  --lib es2022,dom,esnext.disposable --types "" --skipLibCheck phone.ts

# Bridging folly's dynamic values would need folly; this module has none.
mkdir -p stub/react/bridging
echo '#pragma once' > stub/react/bridging/Dynamic.h
common=node_modules/react-native/ReactCommon
g++ -std=c++20 -fsyntax-only -Wall -Wextra -isystem stub -isystem "$scratch" \
  -isystem $common -isystem $common/jsi -isystem $common/callinvoker -isystem $common/react/nativemodule/core \
  -isystem $common/runtimeexecutor/platform/cxx -I "$here" -I "$here/../../../include" -Werror "$here/NativePulseTrust.cpp"
echo "react-native: the module compiles against React Native $version"
