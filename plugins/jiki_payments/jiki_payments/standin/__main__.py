"""`python -m jiki_payments.standin --port N`: the stand-in as a process of its own."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from jiki_payments.standin.server import StandInServer


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m jiki_payments.standin", description="A stand-in for Stripe. Never for real money."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=12111, help="0 takes any free port")
    parser.add_argument("--webhook-url", help="where every event is delivered, signed")
    parser.add_argument("--webhook-secret", default="whsec_standin")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep the state here across restarts")
    options = parser.parse_args(arguments)
    try:
        server = StandInServer(
            host=options.host,
            port=options.port,
            webhook_url=options.webhook_url,
            webhook_secret=options.webhook_secret,
            state_path=options.state,
        )
    except (OSError, SystemExit) as error:
        print(f"the Stripe stand-in cannot listen on {options.host}:{options.port}: {error}", file=sys.stderr)
        return 1

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # asked once is enough: stopping is bounded
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    server.start()
    print(f"stripe stand-in ready at {server.url} (pages at {server.url}/_standin/)", flush=True)
    try:
        server.wait()
    except KeyboardInterrupt:
        server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
