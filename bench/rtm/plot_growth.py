#!/usr/bin/python3
"""Plots the growth of the routing table's costs: plot_growth.py [build/bench/rtm_table.json] > docs/figures/rtm_growth.svg

One line each for adding, looking up, and telling a subscriber of a change; medians of the processor time a call takes,
both axes logarithmic. A dotted line is eight times the cost in a table of a thousand routes: the bound.
"""

import json
import math
import sys

LINES = (("add_ns", "add", "#1f6feb"), ("look_up_ns", "look up", "#2da44e"), ("notify_ns", "change and tell", "#bf3989"))
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 400, 60, 30, 150, 45
SIZES, TIMES = (1e3, 1e6), (20, 10000)


def x_of(size):
    return LEFT + (WIDTH - LEFT - RIGHT) * math.log(size / SIZES[0]) / math.log(SIZES[1] / SIZES[0])


def y_of(nanoseconds):
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * math.log(nanoseconds / TIMES[0]) / math.log(TIMES[1] / TIMES[0])


def medians(report):
    """Routes in the table, and the row that was measured there, rising."""
    rows = {int(each["name"].split("/")[2]): each for each in report["benchmarks"]
            if each["name"].startswith("growth/") and each.get("aggregate_name") == "median"}
    return dict(sorted(rows.items()))


def text(x, y, words, more=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" {more}>{words}</text>'


def main():
    with open(sys.argv[1] if len(sys.argv) > 1 else "build/bench/rtm_table.json", encoding="utf-8") as file:
        rows = medians(json.load(file))
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">')
    print(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>')
    print(text(LEFT, 18, "Nanoseconds of processor time a call, by the routes in the table"))
    for size in (1e3, 1e4, 1e5, 1e6):
        print(f'<path d="M{x_of(size):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        print(text(x_of(size), HEIGHT - BOTTOM + 18, f"{size:,.0f}", 'text-anchor="middle"'))
    for time in (30, 100, 300, 1000, 3000, 10000):
        print(f'<path d="M{LEFT} {y_of(time):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        print(text(LEFT - 6, y_of(time) + 4, f"{time:,}", 'text-anchor="end"'))
    for key, words, colour in LINES:
        points = [(x_of(size), y_of(row[key])) for size, row in rows.items()]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        values = [row[key] for row in rows.values()]
        print(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y in points:
            print(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')
        print(f'<path d="M{LEFT} {y_of(8 * values[0]):.1f}H{WIDTH - RIGHT}" stroke="{colour}" stroke-dasharray="2 5"/>')
        print(text(WIDTH - RIGHT + 8, points[-1][1] + 4, f"{words}: x{values[-1] / values[0]:.1f}", f'fill="{colour}"'))
    print("</svg>")


if __name__ == "__main__":
    main()
