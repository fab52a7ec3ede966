"""
Plots as SVG, by hand: bars in groups with the range of their runs, and lines over time.  Readable
on light and dark paper: the colours are chosen by the reader's browser (prefers-color-scheme).
"""

import html
import math

WIDTH, HEIGHT = 760, 340
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 64, 40
KINDS = 4  # colours of the style below

STYLE = """
  svg { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; }
  text { fill: #24292f; } .faint { fill: #656d76; font-size: 12px; } .title { font-size: 15px; font-weight: 600; }
  .value { font-size: 11px; text-anchor: middle; } .grid { stroke: #d8dee4; } .range { stroke: #24292f; stroke-width: 1.2; }
  .k0 { fill: #1f6feb; } .k1 { fill: #e36209; } .k2 { fill: #8250df; } .k3 { fill: #afb8c1; }
  .line { fill: none; stroke: #1f6feb; stroke-width: 1.8; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .faint { fill: #8d96a0; } .grid { stroke: #30363d; } .range { stroke: #e6edf3; }
    .k0 { fill: #58a6ff; } .k1 { fill: #f0883e; } .k2 { fill: #bc8cff; } .k3 { fill: #6e7681; } .line { stroke: #58a6ff; }
  }
"""


def step_of(highest):
    """A round distance between four to eight lines."""
    raw = max(highest, 1e-9) / 6
    power = 10 ** math.floor(math.log10(raw))
    return next(power * factor for factor in (1, 2, 2.5, 5, 10) if raw <= power * factor)


def number(value):
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.1f}"


class Plot:
    def __init__(self, title, unit, highest):
        self.parts = []
        self.step = step_of(highest)
        self.top = self.step * math.ceil(highest * 1.08 / self.step)
        self.text(LEFT - 48, 24, title, "title")
        self.text(LEFT - 48, 42, unit, "faint")
        for i in range(int(round(self.top / self.step)) + 1):
            y = self.y(i * self.step)
            self.add(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            self.text(LEFT - 8, y + 4, number(i * self.step), "faint", "end")

    def add(self, element):
        self.parts.append(element)

    def text(self, x, y, words, kind="", anchor="start"):
        self.add(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(words)}</text>')

    def y(self, value):
        return HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM)

    def legend(self, names):
        x = WIDTH - RIGHT - sum(26 + 7.2 * len(name) for name in names)
        for kind, name in enumerate(names):
            self.add(f'<rect class="k{kind}" x="{x:.1f}" y="32" width="12" height="12" rx="2"/>')
            self.text(x + 17, 42, name, "faint")
            x += 26 + 7.2 * len(name)

    def svg(self):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">\n'
                f"<style>{STYLE}</style>\n" + "\n".join(self.parts) + "\n</svg>\n")


def bars(title, unit, names, groups):
    """groups: [(label, [(median, lowest, highest) or None, one for each name])]"""
    plot = Plot(title, unit, max(bar[2] for _, values in groups for bar in values if bar))
    width = (WIDTH - LEFT - RIGHT) / len(groups)
    bar_width = width * 0.8 / len(names)
    plot.legend(names)
    for i, (label, values) in enumerate(groups):
        x = LEFT + width * (i + 0.1)
        plot.text(LEFT + width * (i + 0.5), HEIGHT - BOTTOM + 22, label, "", "middle")
        for kind, bar in enumerate(values):
            if bar:
                draw_bar(plot, x + bar_width * kind, bar_width, kind, bar)
    return plot.svg()


def draw_bar(plot, x, width, kind, bar):
    median, lowest, highest = bar
    middle = x + width / 2
    plot.add(f'<rect class="k{kind}" x="{x + 1.5:.1f}" y="{plot.y(median):.1f}" width="{width - 3:.1f}" '
             f'height="{max(0.5, plot.y(0) - plot.y(median)):.1f}" rx="2"/>')
    plot.add(f'<line class="range" x1="{middle:.1f}" x2="{middle:.1f}" y1="{plot.y(lowest):.1f}" y2="{plot.y(highest):.1f}"/>')
    plot.text(middle, plot.y(highest) - 5, number(median), "value")


def line(title, unit, points, x_unit):
    """points: [[x, y]], x ascending"""
    last = points[-1][0] or 1
    plot = Plot(title, unit, max(max(y for _, y in points), 1))
    place = [(LEFT + x / last * (WIDTH - LEFT - RIGHT), plot.y(y)) for x, y in points]
    plot.add('<path class="line" d="M' + " L".join(f"{x:.1f},{y:.1f}" for x, y in place) + '"/>')
    for part in range(5):
        plot.text(LEFT + part / 4 * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM + 20, number(last * part / 4), "faint", "middle")
    plot.text(WIDTH - RIGHT, HEIGHT - 4, x_unit, "faint", "end")
    return plot.svg()
