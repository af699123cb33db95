"""Fails if a dependency of a package declares a newer Rust than the package: newer_dependencies.py PACKAGE VERSION.

Reads `cargo metadata` from standard input. Development dependencies do not count: they are not what a user compiles.
"""

import json
import sys


def version(text):
    """1.89.1 -> (1, 89, 1); a missing part is 0."""
    parts = [int(part) for part in text.split(".")]
    return tuple(parts + [0] * (3 - len(parts)))


def main():
    name, declared = sys.argv[1:]
    metadata = json.load(sys.stdin)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    (root,) = [identity for identity, package in packages.items() if package["name"] == name]
    reached, waiting = set(), [root]
    while waiting:
        identity = waiting.pop()
        if identity in reached:
            continue
        reached.add(identity)
        for dependency in nodes[identity]["deps"]:
            if any(kind["kind"] != "dev" for kind in dependency["dep_kinds"]):
                waiting.append(dependency["pkg"])
    newer = [
        f"{package['name']} {package['version']} needs Rust {package['rust_version']}, declared is {declared}"
        for package in map(packages.get, sorted(reached))
        if package["rust_version"] and version(package["rust_version"]) > version(declared)
    ]
    print(f"{len(reached)} packages, {len(newer)} of them newer than Rust {declared}")
    if newer or len(reached) < 20:
        sys.exit("\n".join(newer) or "too few packages: the graph was not read")


main()
