"""A plot with two logarithmic axes, as SVG: what the plots of growth have in common. Prints; nothing else."""

import math


class LogPlot:
    """Sizes to the right, values upwards; a legend's place is right of it."""

    WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 400, 60, 30, 150, 45

    def __init__(self, title, sizes, values, grid):
        self.sizes, self.values = sizes, values
        print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.WIDTH} {self.HEIGHT}" '
              'font-family="sans-serif" font-size="12">')
        print(f'<rect width="{self.WIDTH}" height="{self.HEIGHT}" fill="white"/>')
        self.text(self.LEFT, 18, title)
        floor, right = self.HEIGHT - self.BOTTOM, self.WIDTH - self.RIGHT
        for size in (1e3, 1e4, 1e5, 1e6):
            print(f'<path d="M{self.x_of(size):.1f} {self.TOP}V{floor}" stroke="#ddd"/>')
            self.text(self.x_of(size), floor + 18, f"{size:,.0f}", 'text-anchor="middle"')
        for value in grid:
            print(f'<path d="M{self.LEFT} {self.y_of(value):.1f}H{right}" stroke="#ddd"/>')
            self.text(self.LEFT - 6, self.y_of(value) + 4, f"{value:,}", 'text-anchor="end"')

    def x_of(self, size):
        low, high = self.sizes
        return self.LEFT + (self.WIDTH - self.LEFT - self.RIGHT) * math.log(size / low) / math.log(high / low)

    def y_of(self, value):
        low, high = self.values
        return self.HEIGHT - self.BOTTOM - (self.HEIGHT - self.TOP - self.BOTTOM) * math.log(value / low) / math.log(high / low)

    @staticmethod
    def text(x, y, words, more=""):
        print(f'<text x="{x:.0f}" y="{y:.0f}" {more}>{words}</text>')

    def line(self, points, words, colour, more=""):
        """Through (size, value), with its words at its end."""
        places = [(self.x_of(size), self.y_of(value)) for size, value in points]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        print(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2" {more}/>')
        for x, y in places:
            print(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')
        self.text(self.WIDTH - self.RIGHT + 8, places[-1][1] + 4, words, f'fill="{colour}"')

    def bound(self, value, colour):
        print(f'<path d="M{self.LEFT} {self.y_of(value):.1f}H{self.WIDTH - self.RIGHT}" stroke="{colour}" '
              'stroke-dasharray="2 5"/>')

    @staticmethod
    def end():
        print("</svg>")
