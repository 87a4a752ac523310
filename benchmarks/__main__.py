"""`python -m benchmarks NAME [--seconds S] [--rounds R]`: prints one JSON object."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil

import benchmarks


def names() -> dict[str, str]:
    """Benchmarks by name, with the first line of their module's docstring."""
    found = {}
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if module.ispkg or module.name.startswith("_") or module.name == "harness":
            continue
        loaded = importlib.import_module(f"benchmarks.{module.name}")
        if hasattr(loaded, "run"):
            found[module.name] = (loaded.__doc__ or "").splitlines()[0]
    return found


def main() -> None:
    known = names()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="\n".join(f"{name}: {summary}" for name, summary in known.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", choices=sorted(known))
    parser.add_argument("--seconds", type=float, default=2.0, help="of each round (2)")
    parser.add_argument("--rounds", type=int, default=4, help="rounds, interleaved over the servers (4)")
    given = parser.parse_args()
    result = importlib.import_module(f"benchmarks.{given.name}").run(given.seconds, given.rounds)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
