"""tools/bench knows its benchmarks without building them."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def bench(*arguments):
    return subprocess.run([ROOT / "tools/bench", *arguments], capture_output=True, text=True, check=False)


def test_lists_every_program():
    listed = bench("--list").stdout.split()
    bench_folder = ROOT / "bench"
    sources = {"_".join(path.relative_to(bench_folder).with_suffix("").parts).removesuffix("_bench")
               for path in bench_folder.rglob("*_bench.cpp")}
    assert set(listed) == sources


def test_refuses_an_unknown_name_before_it_builds():
    done = bench("base_handles", "nonsense")
    assert done.returncode == 2
    assert re.search("no such benchmark: nonsense .*base_handles", done.stderr)
    assert done.stdout == ""
