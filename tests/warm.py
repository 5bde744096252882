"""Compiles what many tests need, once: two workers that begin without it compile the same, side by side.

python -m tests.warm
"""

from tests.benchmarks import optimise, travel


def main() -> None:
    """The searches for plans, and travel times on a small drawn network."""
    optimise.warm()
    travel.ours(travel.drawn(20, 3, 9), 1)


if __name__ == "__main__":
    main()
