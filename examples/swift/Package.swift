// swift-tools-version:5.9
// NOT RUN HERE: there was no Swift toolchain. check.sh says what was checked instead.

import PackageDescription

// The C library is the Clang module PulseTrust of include/PulseTrust/module.modulemap; a Swift module cannot have the same name.
#if os(Linux)
// Found with -Xlinker -L../../target/capi, as README.md says.
let library: Target = .systemLibrary(name: "PulseTrust", path: "Sources/CPulseTrust")
#else
// Made by build-xcframework.sh.
let library: Target = .binaryTarget(name: "PulseTrust", path: "PulseTrust.xcframework")
#endif

let package = Package(
    name: "PulseTrustKit",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "PulseTrustKit", targets: ["PulseTrustKit"])],
    targets: [
        library,
        .target(name: "PulseTrustKit", dependencies: ["PulseTrust"], path: "Sources/PulseTrust"),
        .testTarget(name: "PulseTrustKitTests", dependencies: ["PulseTrustKit"]),
    ]
)
