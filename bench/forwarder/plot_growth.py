#!/usr/bin/python3
"""Plots what peers.py measured: plot_growth.py load|withdraw [build/bench/forwarder_peers.json] > FIGURE.svg

A line each for the kernel alone, Turnpike, BIRD and zebra: microseconds on the wall a route, by the routes in all.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from log_plot import LogPlot  # noqa: E402

LINES = (("kernel", "the kernel alone", "#8b949e"), ("turnpike", "Turnpike", "#1f6feb"), ("bird", "BIRD 2", "#2da44e"),
         ("zebra", "zebra", "#bf3989"))


def main():
    which = ("load", "withdraw").index(sys.argv[1])
    kept = Path(sys.argv[2] if len(sys.argv) > 2 else ROOT / "build/bench/forwarder_peers.json")
    rows = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
    title = ("Into the kernel", "Out of the kernel")[which] + ": microseconds a route, by the routes in all"
    plot = LogPlot(title, (1e3, 1.1e6), (1, 100), (1, 3, 10, 30, 100))
    for name, words, colour in LINES:
        plot.line([(row["routes"], row[name][which] * 1e6 / row["routes"]) for row in rows], words, colour)
    plot.end()


if __name__ == "__main__":
    main()
