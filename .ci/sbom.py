"""Keeps of a CycloneDX file what its package is built from: sbom.py PACKAGE FROM TO < `cargo tree` of the package.

cargo-cyclonedx resolves the whole workspace at once, and so lists crates that only other packages of it ask for. A crate
that it does not list is an error.
"""

import json
import pathlib
import sys

package, source, target = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
text = source.read_text()
# No paths of this machine, so the file is the same wherever it is made.
text = text.replace(f"path+file://{pathlib.Path.cwd()}", "path+file://")
bom = json.loads(text)

built_from = {tuple(line.split()[:2]) for line in sys.stdin if line.strip()}
built_from = {(name, version.removeprefix("v")) for name, version in built_from if name != package}
kept = [component for component in bom["components"] if (component["name"], component["version"]) in built_from]
missing = built_from - {(component["name"], component["version"]) for component in kept}
if missing or not kept:
    sys.exit(f"{package}: {len(kept)} crates are listed, and these are not: {sorted(missing)}")
without_hash = [c["name"] for c in kept if c["bom-ref"].startswith("registry+") and not c.get("hashes")]
if without_hash:
    sys.exit(f"{package}: without a hash: {without_hash}")

refs = {component["bom-ref"] for component in kept} | {bom["metadata"]["component"]["bom-ref"]}
bom["components"] = kept
bom["dependencies"] = [
    {**entry, "dependsOn": [ref for ref in entry.get("dependsOn", []) if ref in refs]}
    for entry in bom["dependencies"]
    if entry["ref"] in refs
]
target.write_text(json.dumps(bom, indent=2, sort_keys=True) + "\n")
print(f"{target.name}: {len(kept)} crates")
