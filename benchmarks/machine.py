"""What benchmarks say of themselves: machine, date, versions, commit."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from fewmask import __version__
from fewmask.data.wording import counted


def name_processor() -> str:
    """Names the processor, as its maker does where that can be read."""
    table = Path("/proc/cpuinfo")
    if table.exists():
        names = [line for line in table.read_text().splitlines() if line.startswith("model name")]
        if names:
            return names[0].split(":")[1].strip()
    return platform.processor() or platform.machine()


def name_machine() -> str:
    """Names the processor and how many cores of it this process may use."""
    return f"{name_processor()}, {counted(count_cores(), 'core')}"


def count_cores() -> int:
    """Counts the processor cores that this process may use, which can be fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def name_commit() -> str:
    """Names the commit that is measured, with a + where code was changed since."""
    commit = ask_git("rev-parse", "--short=7", "HEAD")
    # What a benchmark writes down, scores and tables, is no change of what it measures.
    changed = ask_git("status", "--porcelain", "--", ":/*.py", ":/*.toml")
    return (commit or "unknown") + ("+" if changed else "")


def ask_git(*words: str) -> str:
    """Returns what git says of this repository; nothing where there is no git or none of it."""
    here = Path(__file__).parent
    try:
        found = subprocess.run(
            ["git", *words], cwd=here, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return found.stdout.strip()


def describe_machine(packages: tuple[str, ...]) -> str:
    """Describes where and when something was measured.

    Args:
        packages: Names of packages whose versions matter.
    """
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {name_machine()}{load}, "
        f"{platform.system()}, Python {platform.python_version()}, "
        f"fewmask {__version__}, {versions}"
    )
