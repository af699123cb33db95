#!/usr/bin/env python3
"""Writes every case beside this script: generate.py. With --check it writes nothing, and fails if a file is not as it would
write it. It needs nothing but Python 3.9."""

import json
import pathlib
import re
import sys

import generator

here = pathlib.Path(__file__).parent
files, asked = {}, {}
for group, content in generator.cases():
    path = here / group / f"{content['name']}.json"
    # Names differ by more than the case of a letter: not every file system tells that apart.
    assert path not in files and re.fullmatch("[a-z0-9-]+", content["name"]), path
    files[path] = json.dumps(content, indent=2, ensure_ascii=True) + "\n"
    question = json.dumps({member: value for member, value in content.items() if member not in ("name", "why", "kind", "error")})
    assert asked.setdefault(question, path) == path, f"{path} asks what {asked[question]} asks"

present = set(here.glob("*/*.json"))
if "--check" in sys.argv[1:]:
    wrong = [path for path in present ^ set(files)]
    wrong += [path for path in present & set(files) if path.read_text(encoding="utf-8") != files[path]]
    for path in sorted(wrong):
        print(f"{path}: not what generate.py writes", file=sys.stderr)
    sys.exit(1 if wrong else 0)
for path in present - set(files):
    path.unlink()
for path, content in files.items():
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, encoding="utf-8")
refused = sum(path.parent.name != "accepted" for path in files)
print(f"{refused} refused tokens, {len(files) - refused} accepted ones")
