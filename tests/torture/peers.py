#!/usr/bin/env python3
"""How many of the tokens that must be refused the peers accept: peers.py writes the table into README.md, beside it, or fails
where the one there differs with --check. It needs Go and the benches package, which builds the peers."""

import pathlib
import subprocess
import sys
from collections import Counter

here = pathlib.Path(__file__).resolve().parent
root = here.parents[1]
refused = root / "tests/vectors/refused"
begin, end = "<!-- peers.py writes from here -->\n", "<!-- to here -->\n"
NOT_ASKED = {"host", "kind", "chain", "capability"}


def lines(command, folder):
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()


said = lines(["cargo", "run", "--quiet", "-p", "pulse-benches", "--example", "refused"], root)
said += lines(["go", "run", "./refused", str(refused)], root / "examples/go/cmd")
peers = [line for line in said if " " not in line]
accepted = Counter((peer, token.split("/")[0]) for peer, token in (line.split() for line in said if " " in line))
groups = sorted(path.name for path in refused.iterdir() if path.is_dir() and path.name not in NOT_ASKED | {"generator", "__pycache__"})
asked = {group: len(list((refused / group).glob("*.json"))) for group in groups}
asked["time"] -= 2  # two ask for more leeway than this library allows
assert peers[0] == "pulse-trust" and len(peers) == 4 and asked["accepted"], peers


def row(group, count, of_peer):
    cells = ["-" if peer == "jsonwebtoken" and group == "time" else str(of_peer(peer)) for peer in peers]
    return f"| {group} | {count} | {' | '.join(cells)} |"


bad = [group for group in groups if group != "accepted"]
table = [f"| group | tokens | {' | '.join(peers)} |", "|---|" + "---:|" * (len(peers) + 1)]
table += [row(group, asked[group], lambda peer: accepted[peer, group]) for group in bad]
table.append(row("**all that must be refused**", sum(asked[group] for group in bad), lambda peer: sum(accepted[peer, group] for group in bad)))
table.append(row("that must be accepted", asked["accepted"], lambda peer: accepted[peer, "accepted"]))

page = here / "README.md"
before, rest = page.read_text(encoding="utf-8").split(begin)
written = before + begin + "\n".join(table) + "\n" + end + rest.split(end)[1]
if "--check" in sys.argv[1:]:
    if page.read_text(encoding="utf-8") != written:
        sys.exit(f"{page}: the table is another one; run {sys.argv[0]}")
else:
    page.write_text(written, encoding="utf-8")
print("\n".join(table))
