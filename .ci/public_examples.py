"""Every public type of the Rust API has a runnable example, or names the item whose example shows it.

Reads rustdoc's JSON: .ci/public_examples.py target/doc/pulse_trust.json
"""

import json
import re
import sys

documentation = json.load(open(sys.argv[1]))
items = documentation["index"]
# What opens an example that rustdoc runs, or whose failure to compile it checks.
RUNNABLE = re.compile(r"(rust|should_panic|compile_fail.*)?")


def inherent_methods(item):
    kind = next(iter(item["inner"]))
    for implementation in item["inner"][kind].get("impls", []):
        found = items.get(str(implementation))
        if found and found["inner"]["impl"]["trait"] is None:
            yield from (items[str(method)] for method in found["inner"]["impl"]["items"] if str(method) in items)


def has_example(text):
    opened = re.findall(r"^```(.*)$", text, re.MULTILINE)[::2]  # the others close
    return any(RUNNABLE.fullmatch(info) for info in opened)


def shows_how(item):
    texts = [item["docs"] or ""]
    if "trait" not in item["inner"]:
        texts += [method["docs"] or "" for method in inherent_methods(item)]
    return any(has_example(text) for text in texts) or re.search(r"See the example of \[`", texts[0])


looked_at = 0
missing = []
for number, path in documentation["paths"].items():
    item = items.get(number)
    if path["crate_id"] != 0 or path["kind"] not in ("struct", "enum", "trait") or not item:
        continue
    # The C functions have examples in C, and nobody outside can use a sealed trait.
    if path["path"][1] == "ffi" or path["path"][-1] == "Sealed":
        continue
    looked_at += 1
    if not shows_how(item):
        missing.append("::".join(path["path"]))
if looked_at < 50:
    sys.exit(f"{looked_at} public types: the documentation was not read")
if missing:
    sys.exit("no example, and no \"See the example of [`...`]\": " + ", ".join(sorted(missing)))
print(f"{looked_at} public types have an example")
