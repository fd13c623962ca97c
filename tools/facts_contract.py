#!/usr/bin/python3
"""What the text of the contract says about sizes, offsets and values: numbers beside names, as its tables and sentences
write them. Read with a loose eye: a number counts as stated only if the fact exists, and a fact counts as contradicted
only if the contract puts numbers beside its name and none of them is the fact's."""

import re
import sys

import facts as fact_files

CONTRACTS = ("rtmv2.md", "rtmv1.md", "mgm.md", "routprot.md", "mprapi.md")
NUMBER = r"(-?0x[0-9A-Fa-f]+|0|[1-9]\d*)"
# `NAME` 5, NAME = 5, | NAME | 5 |, NAME (remark) | 5 |
BEHIND = re.compile(rf"\b([A-Z]\w{{3,}})`?(?: \([^()|]*\))?(?: = |`? \| |`? ){NUMBER}\b(?![.…–]\d|\w| [/+·] |%)")
# | 5 | NAME |
BEFORE = re.compile(rf"\| `?{NUMBER}`? \| `?([A-Z]\w{{3,}})`? [|/]")
SIZE = re.compile(r"`?\*{0,2}\b((?:[A-Z][A-Z0-9]*_)+[A-Z0-9]+|MESSAGE)`?\*{0,2}`?"
                  r"(?: \((?:union, )?\**(\d+)(?: bytes| with one|,|\))|`? \| (\d+) \| `)")
SIZEOF = re.compile(r"`sizeof\((\w+)\)`? = ?(\d+)|`sizeof\((\w+)\)` (\d+)")
# `TYPE field[3]`@8 — | 8 | `TYPE field` | — 8 Field TYPE · — field 8,
FIELDS = (re.compile(r"`(?:[\w]+ )?\*?(?P<field>\w+)(?:\[\w*\])?` ?@(?P<at>\d+)"),
          re.compile(r"^\| \+?(?P<at>\d+) \| `?(?:\w+ )?\*?(?P<field>\w+)(?:\[\w*\])?`? \|"),
          re.compile(r"(?:^|[:·;{] )(?P<at>\d+) (?P<field>\w+) [A-Z]{3,}"),
          re.compile(r"\b(?P<field>(?:dw|ul|rg)\w+)(?:\[\])? (?P<at>\d+)\b"))
# Two structures side by side: | RR_Network (8) | 32 | client | RR_Network (4) | 32 |
SIDE_BY_SIDE = re.compile(r"^\| (RR_\w+)(?: \(\d+\))? \| (\d+) \|.*\| (\d+) \|$")


# ndis.md groups names by what they begin with: | NDIS_SEND_FLAGS_ | DISPATCH_LEVEL 1, CHECK_FOR_LOOPBACK 2 | and so do its
# enumerations, | NDIS_MEDIUM | 802_3 0, 802_5 1 |, whose members begin otherwise than they are called.
ENUMERATIONS = {"NDIS_REQUEST_TYPE": "NdisRequest", "NDIS_MEDIUM": "NdisMedium", "NDIS_PHYSICAL_MEDIUM": "NdisPhysicalMedium",
                "NDIS_MEDIA_STATE": "NdisMediaState", "NDIS_HARDWARE_STATUS": "NdisHardwareStatus", "NET_PNP_EVENT_CODE": "NetEvent",
                "NDIS_DEVICE_POWER_STATE": "NdisDeviceState", "NDIS_PARAMETER_TYPE": "NdisParameter"}


def ndis_statements(lines):
    """Of ndis.md's own tables and sentences: groups of flags, hexadecimal statuses and requests, sizes by revision."""
    section = ""
    for line in lines:
        section = line.split()[1] if re.match(r"###? [A-F]", line) else section
        cells = [cell.strip(" *") for cell in line.split("|")]
        if section == "C.4":
            for names, numbers in zip(cells[1::2], cells[2::2]):
                pairs = zip(re.sub(r"\(N6\)|\*", "", names).split("/"), numbers.split("/"))
                for name, number in pairs:
                    if re.fullmatch(r"[0-9A-F]{8}", number.strip(" *")):
                        value = int(number.strip(" *"), 16)
                        yield "value", "", "NDIS_STATUS_" + name.strip(), value - (value >> 31 << 32)
        if section == "C.5" and len(cells) > 2:
            prefix = ENUMERATIONS.get(cells[1], cells[1].split(" ")[0])
            for name, number in re.findall(r"(\w+) (0x[0-9A-F]+|\d+)(?=[,; (]|$)", cells[2].replace("*", "")):
                yield "value", "", prefix + name, int(number, 0)
        if section.startswith("E.") and len(cells) > 2:
            # ONE 00010101, and pairs whose second number gives its last digits alone: ONE / OTHER 00010103/04
            for first, name, number, last in re.findall(r"(?:([A-Z]\w+) / )?(?<![/\w])([A-Z][A-Z0-9_]+) ([0-9A-F]{8})\b(?:/([0-9A-F]{2})\b)?", cells[1]):
                yield "value", "", "OID_GEN_" + (first if last else name), int(number, 16)
                yield "value", "", "OID_GEN_" + name, int(number[:6] + last, 16) if last else int(number, 16)
        for name, rest in re.findall(r"\*\*(\w+)\*\*([^*]*)", line):
            for revision, size in re.findall(r"rev (\d) = (\d+) B", rest):
                yield "value", "", f"NDIS_SIZEOF_{name.removeprefix('NDIS_')}_REVISION_{revision}", int(size)
            for size in re.findall(r"[(,] ?(\d+) B\)", rest.partition("rev 1")[0]):
                yield "size", "", name, int(size)


def statements():
    """(kind, structure or "", name, number) of everything that looks like a fact."""
    yield from ndis_statements((fact_files.ROOT / "docs/contract/ndis.md").read_text(encoding="utf-8").splitlines())
    for name in CONTRACTS:
        current, column = "", ""
        for line in (fact_files.ROOT / "docs/contract" / name).read_text(encoding="utf-8").splitlines():
            column = line.split("|")[1].strip() if line.startswith("| ") and not column else column if line else ""
            if column == "+n":  # numbers of blocks, counted from a base: | 15 / 16 | `ONE` / `OTHER` | …
                cells = line.split("|")
                for number, block in zip(re.findall(r"\d+", cells[1]), re.findall(r"\w{5,}", cells[2])):
                    yield "value", "", block, 0xFFFF0000 + int(number)
                continue
            for found in SIDE_BY_SIDE.finditer(line):
                yield "offset", "RTM_IP_ROUTE", found[1], int(found[2])
                yield "offset", "RTM_IPX_ROUTE", found[1], int(found[3])
            for found in BEHIND.finditer(line):
                yield "value", "", found[1], int(found[2], 0)
            for found in BEFORE.finditer(line):
                yield "value", "", found[2], int(found[1], 0)
            for found in SIZEOF.finditer(line):
                yield "size", "", found[1] or found[3], int(found[2] or found[4])
            level = re.match(r"Level (\d) adds", line) or re.search(r"^## .*`MPR_INTERFACE_(0)\.\.3`", line)
            if level:
                current = f"MPR_INTERFACE_{level[1]}"
            marks = [*SIZE.finditer(line), *re.finditer(r"^([A-Z_]+) — ()()", line)]
            if column != "#":  # a column of that name counts the rows
                marks += [found for pattern in FIELDS for found in pattern.finditer(line)]
            for found in sorted(marks, key=lambda mark: mark.start()):
                if "field" in found.groupdict():
                    yield "offset", current, found["field"], int(found["at"])
                else:
                    current = found[1]
                    if found[2] or found[3]:
                        yield "size", "", found[1], int(found[2] or found[3])


def lists_function(name):
    """Whether ndis.md's tables of functions have it; they leave the common beginning out: NdisAllocateMdl, NdisFreeMdl/Free…"""
    return re.search(rf"\b{name}\b|[/,] ?(?:Ndis)?{name.removeprefix('Ndis')}\b",
                     (fact_files.ROOT / "docs/contract/ndis.md").read_text(encoding="utf-8")) is not None


def known_facts(all_of_them):
    """(kind, structure, name) -> (the name by which the tools call the fact, its number, where)."""
    known = {}
    for facts in all_of_them:
        for struct in facts.structs:
            known["size", "", struct.name] = f"size of {struct.name}", struct.size, struct.where
            for path, offset, _, where in struct.fields:
                field = path.removeprefix("ViewInfo[0].")
                at = offset - (48 if field != path else 0)  # the contract counts them from the start of their record
                known["offset", struct.name, field] = f"offset of {struct.name}.{path}", at, where
        for expression, value, where in facts.values:
            known["value", "", expression] = expression, value, where
    return known


def compare(all_of_them):
    """(names of the facts that the contract states, lines about those that it contradicts)."""
    known = known_facts(all_of_them)
    said = {}
    for kind, struct, name, number in statements():
        if (kind, struct, name) in known:
            said.setdefault((kind, struct, name), set()).add(number)
    stated = {known[key][0] for key, numbers in said.items() if known[key][1] in numbers}
    contradicted = [f"{known[key][2]}: {known[key][0]} is {known[key][1]}, the contract says {sorted(numbers)}"
                    for key, numbers in said.items() if known[key][1] not in numbers]
    return stated, contradicted


def main():
    stated, contradicted = compare(fact_files.all_facts())
    print(f"{len(stated)} facts are stated by the contract")
    print("\n".join(contradicted))
    return 1 if contradicted else 0


if __name__ == "__main__":
    sys.exit(main())
