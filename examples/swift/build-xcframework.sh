#!/usr/bin/env bash
# NOT RUN HERE: needs macOS with Xcode and Rust. Makes PulseTrust.xcframework: the static library for iOS, its simulator and
# macOS. The module map is in a folder of its own, so that it does not collide with another library's.
set -euo pipefail
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
build() { # target
  rustup target add "$1"
  cargo rustc --lib --profile capi --features capi --crate-type staticlib --target "$1"
}
join() { # folder target...
  local folder=$1 parts=() target
  shift
  for target in "$@"; do build "$target"; parts+=("target/$target/capi/libpulse_trust.a"); done
  mkdir "$scratch/$folder"
  lipo -create "${parts[@]}" -output "$scratch/$folder/libpulse_trust.a"
}
join ios aarch64-apple-ios
join simulator aarch64-apple-ios-sim x86_64-apple-ios
join macos aarch64-apple-darwin x86_64-apple-darwin
mkdir -p "$scratch/headers/PulseTrust"
cp include/pulse_trust.h "$scratch/headers/"
cp include/PulseTrust/module.modulemap "$scratch/headers/PulseTrust/"
rm -rf examples/swift/PulseTrust.xcframework
xcodebuild -create-xcframework \
  -library "$scratch/ios/libpulse_trust.a" -headers "$scratch/headers" \
  -library "$scratch/simulator/libpulse_trust.a" -headers "$scratch/headers" \
  -library "$scratch/macos/libpulse_trust.a" -headers "$scratch/headers" \
  -output examples/swift/PulseTrust.xcframework
