"""How far confidence can be believed, as an SVG: `python benchmarks/calibration.py VERDICTS --write FILE`.

VERDICTS is what `benchmarks/accuracy.py --models … --verdicts VERDICTS` wrote, so that every verdict is by a
model that never saw its data set. Of the real data sets that could be opened, by the confidence that a table
holds records of people: the share that do, with a 95 % interval (Wilson), and how many there are.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from math import sqrt
from pathlib import Path

SIZE, EDGE, BINS = 360, 46, 10


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share."""
    p, d = hits / n, 1 + z * z / n
    centre, half = (p + z * z / (2 * n)) / d, z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / d
    return max(0.0, centre - half), min(1.0, centre + half)


def binned(path: Path) -> dict[int, Counter[bool]]:
    """By tenth of confidence: how many real data sets hold records of people and how many do not."""
    bins: dict[int, Counter[bool]] = defaultdict(Counter)
    for text in path.read_text("utf-8").splitlines():
        verdict = json.loads(text)
        line = verdict["line"]
        if verdict["outcome"] != "unreadable" and line["kind"].startswith("real"):
            sure = verdict["confidence"]
            p = sure if verdict["outcome"] == "microdata" else 1 - sure
            bins[min(BINS - 1, int(p * BINS))][line["label"] == "person"] += 1
    return bins


def drawn(bins: dict[int, Counter[bool]]) -> str:
    """The diagram: the diagonal, and a point with its interval for each bin."""

    def x(p: float) -> float:
        return round(EDGE + p * SIZE, 1)

    def y(p: float) -> float:
        return round(EDGE / 2 + (1 - p) * SIZE, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE + 2 * EDGE} {SIZE + 2 * EDGE}" '
        'font-family="sans-serif" font-size="11">',
        "<title>Confidence in records of people, and the share that are</title>",
        f'<rect x="{x(0)}" y="{y(1)}" width="{SIZE}" height="{SIZE}" fill="#fff" stroke="#888"/>',
        f'<line x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}" stroke="#888" stroke-dasharray="4 4"/>',
    ]
    for k in range(0, BINS + 1, 2):
        p = k / BINS
        parts.append(f'<text x="{x(p)}" y="{y(0) + 16}" text-anchor="middle">{p:.1f}</text>')
        parts.append(f'<text x="{x(0) - 6}" y="{y(p) + 4}" text-anchor="end">{p:.1f}</text>')
    for k, c in sorted(bins.items()):
        share, (low, high), at = c[True] / c.total(), wilson(c[True], c.total()), x((k + 0.5) / BINS)
        parts.append(
            f'<line x1="{at}" y1="{y(low)}" x2="{at}" y2="{y(high)}" stroke="#205493" stroke-width="2"/>'
        )
        parts.append(f'<circle cx="{at}" cy="{y(share)}" r="4" fill="#205493"/>')
        above = y(high) - 6 if high < 0.95 else y(low) + 14
        parts.append(
            f'<text x="{at}" y="{above}" text-anchor="middle" fill="#444">{c[True]}/{c.total()}</text>'
        )
    parts.append(f'<text x="{x(0.5)}" y="{y(0) + 34}" text-anchor="middle">confidence</text>')
    middle = y(0.5)
    turn = f'transform="rotate(-90 12 {middle})"'
    parts.append(
        f'<text x="12" y="{middle}" text-anchor="middle" {turn}>share that hold records of people</text>'
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    """Print the bins and write the diagram."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("verdicts", type=Path)
    parser.add_argument("--write", type=Path, required=True)
    options = parser.parse_args()
    bins = binned(options.verdicts)
    for k, c in sorted(bins.items()):
        print(f"{k / BINS:.1f}-{(k + 1) / BINS:.1f}  {c[True]:>4}/{c.total():<4} {c[True] / c.total():.2f}")
    options.write.write_text(drawn(bins), "utf-8")


if __name__ == "__main__":
    main()
