#!/usr/bin/python3
"""Plots the growth of the routing table's costs: plot_growth.py [build/bench/rtm_table.json] > docs/figures/rtm_growth.svg

One line each for adding, looking up, and telling a subscriber of a change; medians of the processor time a call takes,
both axes logarithmic. A dotted line is eight times the cost in a table of a thousand routes: the bound.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from log_plot import LogPlot  # noqa: E402

LINES = (("add_ns", "add", "#1f6feb"), ("look_up_ns", "look up", "#2da44e"), ("notify_ns", "change and tell", "#bf3989"))


def medians(report):
    """Routes in the table, and the row that was measured there, rising."""
    rows = {int(each["name"].split("/")[2]): each for each in report["benchmarks"]
            if each["name"].startswith("growth/") and each.get("aggregate_name") == "median"}
    return dict(sorted(rows.items()))


def main():
    with open(sys.argv[1] if len(sys.argv) > 1 else "build/bench/rtm_table.json", encoding="utf-8") as file:
        rows = medians(json.load(file))
    plot = LogPlot("Nanoseconds of processor time a call, by the routes in the table", (1e3, 1e6), (20, 10000),
                   (30, 100, 300, 1000, 3000, 10000))
    for key, words, colour in LINES:
        values = [row[key] for row in rows.values()]
        plot.line([(size, row[key]) for size, row in rows.items()], f"{words}: x{values[-1] / values[0]:.1f}", colour)
        plot.bound(8 * values[0], colour)
    plot.end()


if __name__ == "__main__":
    main()
