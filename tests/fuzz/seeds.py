"""Writes seeds for the fuzz targets from what the deployed Go code made: seeds.py OUT VECTORS."""

import base64
import json
import pathlib
import sys
from collections import Counter

out, vectors = map(pathlib.Path, sys.argv[1:])
counts = Counter()


def put(target, content):
    folder = out / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed-{counts[target]}").write_bytes(content)
    counts[target] += 1


def texts(value):
    """Every text inside a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)


def bytes_of_hex(text):
    """The bytes, or nothing where it is not hex."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def payload(token):
    """The claims of a token, or nothing where they are not base64."""
    segment = token.split(".")[1]
    try:
        return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError:
        return b""


for file in sorted(vectors.rglob("*.json")):
    for text in texts(json.loads(file.read_text())):
        if text.startswith("ey") and text.count(".") == 2:
            put("token", text.encode())
            put("claims", payload(text))
        elif text.startswith(("pulse://", "{")):
            put("pairing_code", text.encode())
            put("c_calls", b"\x08" + text.encode())
            if text.startswith("pulse://connect?"):
                put("deep_link", text.removeprefix("pulse://connect?").encode())
            elif "instance_secret" in text:
                put("relay_enc", text.encode())
        elif text.startswith("01") and bytes_of_hex(text):
            put("frames", bytes_of_hex(text))
            put("c_calls", b"\x0a" + bytes_of_hex(text))
for case in json.loads((vectors / "tables.json").read_text())["hosts"]:
    put("c_calls", b"\x00" + case["in"].encode())
for index, name in enumerate(["relay.enc", "billing.json", "license.enc", ".encryption.key"]):
    for file in sorted(vectors.rglob(name)):
        put("files", bytes([index]) + file.read_bytes())
put("relay_enc", b'{"enabled":true,"server_url":"wss://r.test","instance_secret":"0123456789","identity_private_key":""}')
put("key_file", base64.b64encode(bytes([9] * 32)))
put("key_file", base64.b64encode(bytes([9] * 32)) + b"\n")
for target, count in sorted(counts.items()):
    print(f"{target}: {count} seeds")
