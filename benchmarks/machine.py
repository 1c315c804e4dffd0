"""The line that every benchmark begins with: machine, date, versions."""

import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from fewmask import __version__


def describe_machine(packages: tuple[str, ...]) -> str:
    """Describes where and when something was measured.

    Args:
        packages: Names of packages whose versions matter.
    """
    processor = platform.processor() or platform.machine()
    table = Path("/proc/cpuinfo")
    if table.exists():
        names = [line for line in table.read_text().splitlines() if line.startswith("model name")]
        processor = names[0].split(":")[1].strip() if names else processor
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {processor}, {os.cpu_count()} cores{load}, "
        f"{platform.system()}, Python {platform.python_version()}, "
        f"fewmask {__version__}, {versions}"
    )
