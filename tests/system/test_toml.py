"""The reader of configuration files reads TOML 1.0: on documents by hand and thousands made from them, it and Python's
reader say the same, of what is right and of what is wrong."""

import datetime
import json
import math
import random
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READER = ROOT / "build/dev/tests/config/toml_reading"
SEEDS = sorted((ROOT / "tests/config/toml").glob("*.toml"))
VARIANTS = 4000
PIECES = [b"[", b"]", b"[[", b"]]", b"{", b"}", b"=", b",", b".", b'"', b"'", b'"""', b"'''", b"\\", b"\n", b"\r\n", b"\r",
          b"#", b" ", b"\t", b"a", b"b.c", b"1", b"_", b"-", b"+", b"0x1F", b"0b2", b"1e5", b"1.", b".5", b"inf", b"nan",
          b"true", b"1979-05-27", b"T07:32:00Z", b"07:32:00", b"\\u00e9", b"\\ud800", b"\xc3\xa9", b"\xff", b"\x00",
          b"\x7f", b"[a]\n", b"[a.b]\n", b"[[a]]\n", b"a.b = 1\n", b"a = {}\n", b"a = []\n"]


def plain(value):
    """A value as the reader under test prints it."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return "time"
    if isinstance(value, float):
        return "nan" if math.isnan(value) else value if math.isfinite(value) else "inf" if value > 0 else "-inf"
    return value


def expected(data):
    try:
        return plain(tomllib.loads(data.decode("utf-8")))
    except (ValueError, RecursionError):
        return None


def beyond_64_bits(value):
    if isinstance(value, dict):
        return any(beyond_64_bits(inner) for inner in value.values())
    if isinstance(value, list):
        return any(beyond_64_bits(inner) for inner in value)
    return isinstance(value, int) and not isinstance(value, bool) and not -2**63 <= value < 2**63


def variant(source, draw):
    data = bytearray(source)
    for _ in range(draw.randint(1, 3)):
        at = draw.randint(0, len(data))
        match draw.randint(0, 3):
            case 0: data[at:at] = draw.choice(PIECES)
            case 1: data[at:at + draw.randint(1, 6)] = b""
            case 2: data[at:at + 1] = draw.choice(PIECES)
            case 3:  # a line again, elsewhere
                lines = bytes(data).splitlines(keepends=True) or [b"\n"]
                lines.insert(draw.randint(0, len(lines)), draw.choice(lines))
                data = bytearray(b"".join(lines))
    return bytes(data)


def read(documents, folder):
    paths = []
    for number, document in enumerate(documents):
        paths.append(folder / f"{number}.toml")
        paths[-1].write_bytes(document)
    done = subprocess.run([READER], input="".join(f"{path}\n" for path in paths), text=True, check=True,
                          capture_output=True, errors="replace")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_it_reads_what_python_reads(tmp_path):
    draw = random.Random(20)
    documents = [path.read_bytes() for path in SEEDS]
    assert len(documents) >= 3
    documents += [variant(draw.choice(documents[:len(SEEDS)]), draw) for _ in range(VARIANTS)]
    good = 0
    for document, ours in zip(documents, read(documents, tmp_path), strict=True):
        theirs = expected(document)
        if theirs is not None and beyond_64_bits(theirs):
            theirs = None
        # Python's reader converts \r\n before it reads, so it takes what TOML refuses nowhere else.
        assert ours == theirs, document.decode("utf-8", "backslashreplace")
        good += theirs is not None
    assert VARIANTS / 10 < good < VARIANTS, "the variants are all right or all wrong: they show little"
