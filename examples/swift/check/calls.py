"""Parses the Swift sources, and holds each pulse_ name in them against include/pulse_trust.contract.json: that a function is there, and
is called with as many arguments as it has parameters. Types are what only a Swift compiler can check."""

import json
import pathlib
import re
import sys

import tree_sitter_swift
from tree_sitter import Language, Parser


def main(swift: pathlib.Path, contract: pathlib.Path) -> int:
    functions, types, constants = declared(json.loads(contract.read_text()))
    parser = Parser(Language(tree_sitter_swift.language()))
    faults, calls, files = [], 0, sorted(swift.rglob("*.swift"))
    for file in files:
        tree = parser.parse(file.read_bytes())
        if b"NOT RUN HERE" not in file.read_bytes()[:120]:
            faults.append(f"{file}: does not say at its top that it was not run")
        for node in walk(tree.root_node):
            where = f"{file.relative_to(swift)}:{node.start_point[0] + 1}"
            if node.type == "ERROR" or node.is_missing:
                faults.append(f"{where}: syntax")
            if node.type not in ("simple_identifier", "type_identifier"):
                continue
            name = node.text.decode()
            if not re.match(r"pulse_|PULSE_", name):
                continue
            if name in functions and node.parent.type == "call_expression":
                calls += 1
                given = arguments(node.parent)
                if given != functions[name]:
                    faults.append(f"{where}: {name} has {functions[name]} parameters, and is called with {given}")
            elif name in functions:
                faults.append(f"{where}: {name} is named but not called, so nothing counts its arguments")
            elif name not in types and name not in constants:
                faults.append(f"{where}: {name} is not in the contract")
    print(f"{len(files)} files, {calls} calls, {len(functions)} functions in the contract")
    if calls < 15 or len(functions) < 50:
        faults.append("too few to be all")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def declared(contract: dict) -> tuple[dict[str, int], set[str], set[str]]:
    """The functions with their number of C parameters, the types, and the constants."""
    functions, types = {}, {"pulse_status"}
    for group in contract["groups"]:
        types.update(handle["name"] for handle in group["handles"])
        for function in group["functions"]:
            # Text and bytes are a pointer and a length.
            functions[function["name"]] = sum(1 + (p["role"] in ("text", "bytes")) for p in function["parameters"])
    constants = {"PULSE_OK"} | {constant["name"] for constant in contract["constants"]}
    constants |= {"PULSE_ERR_" + error["name"] for error in contract["errors"]}
    return functions, types, constants


def arguments(call) -> int:
    lists = [node for node in walk(call.children[-1]) if node.type == "value_arguments"]
    return sum(child.type == "value_argument" for child in lists[0].children) if lists else 0


def walk(node):
    yield node
    for child in node.children:
        yield from walk(child)


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])))
