"""Parses the Swift sources, and holds each pulse_ name in them against include/pulse_trust.h: that a function is there, and
is called with as many arguments as it has parameters. Types are what only a Swift compiler can check."""

import pathlib
import re
import sys

import tree_sitter_swift
from tree_sitter import Language, Parser


def main(swift: pathlib.Path, header: pathlib.Path) -> int:
    functions, types, constants = declared(header.read_text())
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
                faults.append(f"{where}: {name} is not in the header")
    print(f"{len(files)} files, {calls} calls, {len(functions)} functions in the header")
    if calls < 15 or len(functions) < 50:
        faults.append("too few to be all")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def declared(header: str) -> tuple[dict[str, int], set[str], set[str]]:
    """The functions with their number of parameters, the types, and the constants."""
    code = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
    functions = {}
    for name, parameters in re.findall(r"\b(pulse_\w+)\s*\(([^)]*)\)\s*;", code):
        functions[name] = 0 if parameters.strip() in ("", "void") else parameters.count(",") + 1
    types = set(re.findall(r"^typedef .*\b(pulse_\w+);$", code, flags=re.M))
    constants = set(re.findall(r"^#define (PULSE_\w+) ", code, flags=re.M))
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
