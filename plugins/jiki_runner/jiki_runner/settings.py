"""What an operator may set for the runner: `[runner]` in jiki.toml, `JIKI_RUNNER_…` in the environment."""

from __future__ import annotations

from dataclasses import dataclass

from jiki_core.settings import setting


@dataclass(frozen=True)
class RunnerSettings:
    engine_directory: str = setting(
        ".cache/runner",
        help="Where `flask runner prepare` puts the engines; a relative path is one of the working directory",
        example="/var/lib/jiki/runner",
    )
    run_directory: str = setting(
        "", help="Where the folders of runs are made; empty = the system's temporary folder", example="/run/jiki"
    )
    languages: tuple[str, ...] = setting(
        ("python", "javascript"), help="Languages whose submissions are run", example="python,javascript"
    )
    wall_clock_seconds: float = setting(10.0, help="Longest run, all tests together", minimum=1, maximum=60)
    cpu_seconds: int = setting(12, help="Most computing time of a run, its engine included", minimum=1, maximum=60)
    memory_megabytes: int = setting(
        128, help="Most memory of a solution; its tests have as much again", minimum=48, maximum=2_048
    )
    output_kilobytes: int = setting(64, help="Kept of what a solution prints", minimum=0, maximum=1_024)
