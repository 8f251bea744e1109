"""All benchmarks: python benchmarks/run.py [--dir DIR] [--scale 1.0] [--runs 5] [--peers]

Each program runs as a whole process, in turn with its baseline, after one warm-up, so that the
ratio holds when the machine's speed drifts. Wall time is the median; memory is the largest peak.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
AIBOM = [sys.executable, "-m", "aibom"]
PEERS = {
    "aisbom-cli": ["aisbom", "scan", "{}", "--offline"],
    "modelaudit": ["modelaudit", "scan", "{}"],
}
QUIET = {
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "NO_ANALYTICS": "1",
    "AISBOM_NO_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}


@dataclass
class Series:
    """The runs of one program."""

    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    peak_mb: float = 0.0

    def once(self, *, counted: bool = True) -> None:
        started = time.perf_counter()
        process = subprocess.Popen(
            self.command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **self.environment},
        )
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        if counted:
            self.seconds.append(time.perf_counter() - started)
            self.peak_mb = max(self.peak_mb, usage.ru_maxrss / 1024)

    @property
    def wall(self) -> float:
        return statistics.median(self.seconds)


def pair(ours: Series, base: Series, runs: int) -> float:
    """Runs the two in turn; the median of the ratios pair by pair."""
    base.seconds.clear()
    ours.once(counted=False)
    base.once(counted=False)
    for _ in range(runs):
        ours.once()
        base.once()
    return statistics.median(a / b for a, b in zip(ours.seconds, base.seconds, strict=True))


def alone(ours: Series, runs: int) -> None:
    ours.once(counted=False)
    for _ in range(runs):
        ours.once()


def scan(folder: Path, home: Path, *flags: str) -> Series:
    return Series(
        [*AIBOM, "scan", str(folder), "-q", *flags], {"HOME": str(home), "XDG_CACHE_HOME": str(home / "c")}
    )


def row(name: str, series: Series, ratio: float | None, goal: str) -> None:
    shown = f"{ratio:6.2f}" if ratio is not None else "      "
    print(f"{name:48} {series.wall:8.3f} s {shown} {series.peak_mb:7.0f} MB   {goal}", flush=True)


def bare(folder: Path, threads: int, kind: str = "sha256") -> Series:
    return Series([sys.executable, str(HERE / "bare.py"), str(folder), str(threads), kind])


def weights(inputs: Path, home: Path, runs: int, peers: dict[str, list[str]]) -> None:
    bom = str(home / "bom.json")
    threads = len(os.sched_getaffinity(0))
    for name, folder, count, goal in (
        ("4 shards, tensors and BOM", "shards4", threads, "ratio <= 1.30, <= 120 MB"),
        ("one file, tensors and BOM", "one4g", 1, "ratio <= 1.15"),
    ):
        base = bare(inputs / folder, count)
        ours = scan(inputs / folder, home, "--no-cache", "-f", f"cyclonedx={bom}")
        ratio = pair(ours, base, runs)
        row(f"bare SHA-256, {count} threads: {folder}", base, 1.0, "")
        row(name, ours, ratio, goal)
        floor = bare(inputs / folder, count, "blake3")
        row(
            f"bare SHA-256 and BLAKE3, {count} threads: {folder}", floor, pair(floor, base, runs), "the floor"
        )
    for name, command in peers.items():
        series = Series([part.format(inputs / "shards4") for part in command], {**QUIET, "HOME": str(home)})
        alone(series, max(1, runs // 2))
        row(f"peer {name}: shards4", series, None, "slower than ours")


def small(inputs: Path, home: Path, runs: int) -> None:
    version = Series([*AIBOM, "--version"])
    alone(version, runs * 2)
    row("aibom --version", version, None, "< 0.150 s")
    twenty = scan(inputs / "twenty", home, "--no-cache")
    alone(twenty, runs)
    row("folder of 20 files", twenty, None, "< 0.5 s")
    again = scan(inputs / "tenk", home)
    alone(again, runs)
    row("10,000 unchanged files again", again, None, "< 1 s")


def large_bom(runs: int) -> None:
    series = Series([sys.executable, str(HERE / "bom_100k.py")])
    alone(series, max(1, runs // 2))
    row("BOM of 100,000 components, validated", series, None, "< 5 s, < 400 MB")


def install_peers(folder: Path) -> dict[str, list[str]]:
    """Each peer in an environment of its own, from the package index."""
    found = {}
    for name, command in PEERS.items():
        place = folder / name
        if not (place / "bin" / command[0]).exists():
            venv.create(place, with_pip=True)
            subprocess.run([place / "bin" / "pip", "install", "--quiet", name], check=True)
        found[name] = [str(place / "bin" / command[0]), *command[1:]]
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--dir", type=Path, help="where the inputs are made and kept; default: a temporary folder"
    )
    options.add_argument("--scale", type=float, default=1.0, help="1.0: 4 GiB of weights, 10,000 files")
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--peers", action="store_true", help="install and run aisbom-cli and modelaudit too")
    given = options.parse_args()
    folder = given.dir or Path(tempfile.mkdtemp(prefix="aibom-bench-"))
    try:
        inputs, home = folder / f"inputs-{given.scale:g}", folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        if not inputs.exists():
            subprocess.run(
                [sys.executable, HERE / "make_inputs.py", inputs, "--scale", str(given.scale)], check=True
            )
        peers = install_peers(folder / "peers") if given.peers else {}
        print(f"{'what':48} {'wall':>10} {'ratio':>6} {'peak':>10}   goal")
        weights(inputs, home, given.runs, peers)
        small(inputs, home, given.runs)
        large_bom(given.runs)
    finally:
        if given.dir is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
