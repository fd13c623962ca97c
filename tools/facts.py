#!/usr/bin/python3
"""The facts of the documented headers: sizes, offsets and values that a client's binary or its stored data rely on.

tests/facts/HEADER.txt records them for include/win/HEADER.h; its README.md explains the lines. Each number comes from the
contract (docs/contract) or from the public headers (tools/facts_mingw.py), never from compiling our own header. Here:

  tools/facts.py asserts     prints a C file, good as C++ too, that does not compile where a header differs from a fact
  tools/facts.py unrecorded  prints the names that a header declares and no fact records

tools/facts_contract.py and tools/facts_mingw.py compare the facts with their two sources.
"""

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FACTS = ROOT / "tests/facts"
HEADERS = ROOT / "include/win"
DEFINES = ["-DMPR50=1", "-D_GNU_SOURCE"]


@dataclass
class Struct:
    name: str
    size: int
    where: str
    fields: list = field(default_factory=list)  # (path, offset, size, where)


@dataclass
class Facts:
    header: str
    structs: list = field(default_factory=list)
    values: list = field(default_factory=list)  # (expression, number, where)
    texts: list = field(default_factory=list)  # (macro, text, where)
    without: dict = field(default_factory=dict)  # name that carries no fact -> why


def number_of(word):
    return int(word, 0)


def read_facts(path):
    """One file of tests/facts. A line that is not understood ends the program: a fact must not get lost."""
    facts = Facts(path.stem)
    for count, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        where = f"tests/facts/{path.name}:{count}"
        words = line.split("#")[0].split()
        if not words:
            continue
        if line.startswith("struct "):
            facts.structs.append(Struct(words[1], number_of(words[2]), where))
        elif line.startswith("  "):
            facts.structs[-1].fields.append((words[0], number_of(words[1]), number_of(words[2]), where))
        elif line.startswith("value "):
            facts.values.append((words[1], number_of(words[2]), where))
        elif line.startswith("text "):
            facts.texts.append((words[1], words[2], where))
        elif line.startswith("without "):
            facts.without[words[1]] = line.partition("#")[2].strip()
        else:
            raise SystemExit(f"{where}: not understood: {line}")
    return facts


def all_facts():
    return [read_facts(path) for path in sorted(FACTS.glob("*.txt"))]


def asserts(all_of_them):
    """The C file: one assertion a fact, with the place of the fact as its message."""
    lines = ["#ifdef __cplusplus", "#define _Static_assert static_assert", "#endif", "#include <stddef.h>",
             *(f"#include <{facts.header}.h>" for facts in all_of_them)]
    for facts in all_of_them:
        for struct in facts.structs:
            lines.append(f'_Static_assert(sizeof({struct.name}) == {struct.size}, "{struct.where}: size of {struct.name}");')
            for path, offset, size, where in struct.fields:
                place = f"{where}: {struct.name}.{path}"
                lines.append(f'_Static_assert(offsetof({struct.name}, {path}) == {offset}, "offset, {place}");')
                lines.append(f'_Static_assert(sizeof((({struct.name}*)0)->{path}) == {size}, "size, {place}");')
        for expression, value, where in facts.values:
            number = f"{value % 2**64:#x}ULL"  # both sides go through 64 bits, so a sign counts
            lines.append(f'_Static_assert((unsigned long long)({expression}) - {number} == 0, "{where}: {expression}");')
        for macro, text, where in facts.texts:
            lines.append(f'_Static_assert(sizeof({macro}) / sizeof({macro}[0]) == {len(text) + 1}, "{where}: {macro}");')
            lines.append("#ifdef __cplusplus  // C has no constant expression that looks into a string")
            lines += [f"static_assert({macro}[{at}] == '{letter}', \"{where}: {macro}\");" for at, letter in enumerate(text)]
            lines.append("#endif")
    return "\n".join(lines) + "\n"


def preprocessed(header):
    """The lines of one header after the preprocessor, without those of the headers that it includes."""
    path = HEADERS / f"{header}.h"
    output = subprocess.run(["gcc", "-E", "-std=c11", *DEFINES, f"-I{HEADERS}", path], check=True, text=True,
                            capture_output=True).stdout
    lines, ours = [], False
    for line in output.splitlines():
        marker = re.match(r'# \d+ "([^"]*)"', line)
        if marker:
            ours = marker[1] == str(path)
        elif ours:
            lines.append(line)
    return "\n".join(lines)


def functions(header):
    """[(name, prototype)] of every function that a header marks as one of our library's."""
    text = re.sub(r"__asm__\s*\([^()]*\)", "", preprocessed(header)).replace('__attribute__((visibility("default")))', "@")
    found = []
    for statement in re.split(r"[;{}]", text):
        prototype = re.search(r"([A-Za-z][\w\s*]*?\b(\w+)\s*\(.*\))\s*$", statement.replace("@", " "), re.DOTALL)
        if "@" in statement and prototype and "typedef" not in statement:
            found.append((prototype[2], " ".join(prototype[1].split()) + ";"))
    return found


def function_pointers(header):
    """[(name, declaration)] of every type of a function, or of a pointer to one."""
    return [(found[1], " ".join(found[0].split())) for found in
            re.finditer(r"typedef\s+[\w ]+\(\s*\*?\s*(\w+)\)\s*\([^;{}]*\);", preprocessed(header))]


def closing(text, begin):
    """The place behind the brace that closes the one at `begin`."""
    depth = 0
    for at in range(begin, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at + 1
    raise ValueError("a brace is not closed")


def members(body):
    """The paths of all members of a structure's body; those of an anonymous one inside it count as its own."""
    paths, at = [], 0
    while True:
        rest = re.compile(r"\s*(?:__extension__\s*)?").match(body, at).end()
        if rest >= len(body):
            return paths
        nested = re.compile(r"(?:struct|union)\s*\w*\s*(?=\{)").match(body, rest)
        if nested:
            end = closing(body, nested.end())
            inner = members(body[nested.end() + 1:end - 1])
            semicolon = body.index(";", end)
            name = body[end:semicolon].strip()
            prefix = re.sub(r"\[.*\]", "[0]", name) + "." if name else ""
            paths += [prefix + path for path in inner]
        else:
            semicolon = body.index(";", rest)
            declaration = body[rest:semicolon]
            function = re.search(r"\(\s*\*\s*(\w+)\s*\)", declaration)
            if function:
                paths.append(function[1])
            else:
                # A bit-field has no offset of its own.
                paths += [re.sub(r"\[.*", "", part).split()[-1].lstrip("*") for part in declaration.split(",") if ":" not in part]
        at = semicolon + 1


def declared(header):
    """What a header declares: ({structure: [member]}, [constant])."""
    text = preprocessed(header)
    structs, constants = {}, []
    for found in re.finditer(r"typedef\s+(struct|union|enum)\s*\w*\s*(?=\{)", text):
        end = closing(text, found.end())
        names = text[end:text.index(";", end)].split(",")
        body = text[found.end() + 1:end - 1]
        if found[1] == "enum":
            constants += [part.split("=")[0].strip() for part in body.split(",") if part.strip()]
        else:
            plain = [re.sub(r"__attribute__\(\(.*?\)\)\s*(?=\w)", "", name.strip()) for name in names if "*" not in name]
            structs[plain[0]] = members(body)
    for found in re.finditer(r"^struct (?:__attribute__\(\(.*\)\) )?_(\w+)\s*(?=\{)", text, re.MULTILINE):  # named before
        structs[found[1]] = members(text[found.end() + 1:closing(text, found.end()) - 1])
    source = (HEADERS / f"{header}.h").read_text(encoding="utf-8")
    for macro in re.finditer(r"^#\s*define\s+(\w+)(?![\w(])[ \t]*(?![ \t\n])(.+)$", source, re.MULTILINE):
        if macro[2].startswith("TP_AW("):  # a function's name in the width that UNICODE chooses
            continue
        if not macro[1].startswith(("TP_", "__")) and macro[1] not in constants:
            constants.append(macro[1])
    return structs, constants


def unrecorded(all_of_them):
    missing = []
    for facts in all_of_them:
        structs, constants = declared(facts.header)
        recorded = {struct.name: {path for path, *_ in struct.fields} for struct in facts.structs}
        for name, paths in structs.items():
            if name in facts.without:
                continue
            if name not in recorded:
                missing.append(f"{facts.header}.h: structure {name}")
            missing += [f"{facts.header}.h: {name}.{path}" for path in paths if path not in recorded.get(name, paths)]
        known = {expression for expression, *_ in facts.values} | {macro for macro, *_ in facts.texts} | set(facts.without)
        missing += [f"{facts.header}.h: {name}" for name in constants if name not in known]
        missing += [f"{facts.header}.h: {name}: gone from the header" for name in facts.without
                    if name not in constants and name not in structs]
    return missing


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in ("asserts", "unrecorded"):
        raise SystemExit(__doc__)
    found = {"asserts": lambda: asserts(all_facts()), "unrecorded": lambda: unrecorded(all_facts())}[sys.argv[1]]()
    if isinstance(found, str):
        print(found, end="")
        return 0
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
