"""How time grows with the network, drawn beside n log n.

python -m tests.benchmarks.growth [--out docs/growth.svg] [--largest 1290]
"""

import argparse
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from tests.benchmarks.travel import drawn, ours

SIDES = (64, 114, 204, 363, 645, 912, 1290)
SCHOOLS, VILLAGES = 100, 1000
LINES = {
    "order and contraction": "#1b6ca8",
    "new speeds": "#c8553d",
    "query": "#3a7d44",
    "n log n": "#999999",
}
WIDE, HIGH, EDGE = 640, 420, 60


def chart(edges: np.ndarray, seconds: dict[str, np.ndarray]) -> str:
    """Both axes logarithmic; a line for each of ``seconds``."""
    low, high = (
        np.floor(np.log10(min(map(np.min, seconds.values())))),
        np.ceil(np.log10(max(map(np.max, seconds.values())))),
    )
    left, right = np.log10(edges[0]), np.log10(edges[-1])

    def x(value: float) -> float:
        return float(EDGE + (np.log10(value) - left) / (right - left) * (WIDE - 3 * EDGE))

    def y(value: float) -> float:
        return float(HIGH - EDGE - (np.log10(value) - low) / (high - low) * (HIGH - 2 * EDGE))

    parts = [f'<text x="{EDGE}" y="30">seconds by directed edges, {SCHOOLS} schools x {VILLAGES:,} villages</text>']
    for power in range(int(low), int(high) + 1):
        at, right_end = y(10.0**power), WIDE - 2 * EDGE
        parts.append(f'<path d="M{EDGE} {at:.1f}H{right_end}" stroke="#ddd"/>')
        parts.append(f'<text x="{EDGE - 6}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    parts += [
        f'<text x="{x(value):.1f}" y="{HIGH - EDGE + 18}" text-anchor="middle">{_short(value)}</text>'
        for value in edges
    ]
    for name, took in seconds.items():
        points = " ".join(f"{x(e):.1f},{y(s):.1f}" for e, s in zip(edges, took, strict=True))
        dash = ' stroke-dasharray="5 4"' if name == "n log n" else ""
        parts.append(f'<polyline points="{points}" fill="none" stroke="{LINES[name]}" stroke-width="2"{dash}/>')
        end = (x(edges[-1]) + 6, y(took[-1]) + 4)
        parts.append(f'<text x="{end[0]:.1f}" y="{end[1]:.1f}" fill="{LINES[name]}">{escape(name)}</text>')
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" font-family="sans-serif" font-size="11">'
    )
    return "\n".join([head, '<rect width="100%" height="100%" fill="#fff"/>', *parts, "</svg>\n"])


def _short(value: float) -> str:
    return f"{value / 1e6:.1f} M" if value >= 1e6 else f"{value / 1e3:.0f} k"


def main() -> None:
    """Print a table in Markdown and write the chart."""
    ask = argparse.ArgumentParser()
    ask.add_argument("--out", type=Path, default=Path("docs/growth.svg"))
    ask.add_argument("--largest", type=int, default=SIDES[-1])
    said = ask.parse_args()
    edges, rows = [], []
    print("| nodes | directed edges | order and contraction, s | new speeds, s | query, s |\n|---|---|---|---|---|")
    for side in SIDES:
        if side > said.largest:
            break
        net = drawn(side, SCHOOLS, VILLAGES)
        took = ours(net, 2)
        edges.append(len(net.tail))
        rows.append([took[name] for name in list(LINES)[:3]])
        print(f"| {net.n:,} | {edges[-1]:,} | {' | '.join(f'{s:.4f}' for s in rows[-1])} |", flush=True)
    n, table = np.array(edges, dtype=float), np.array(rows).T
    growth = n * np.log(n)
    seconds = dict(zip(LINES, [*table, growth * (table[0, 0] / growth[0])], strict=True))
    said.out.write_text(chart(n, seconds), encoding="utf-8")
    for name, took in zip(LINES, table, strict=False):
        power = np.polyfit(np.log(growth), np.log(took), 1)[0]
        print(f"\n{name}: grows as (n log n) to the power {power:.2f}", end="")
    print()


if __name__ == "__main__":
    main()
