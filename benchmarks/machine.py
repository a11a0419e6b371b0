"""What a table says of the machine: its kind, never its name or its paths."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path


def machine() -> dict[str, str | int]:
    """Processor, cores, memory in GiB, kernel."""
    cpu = Path("/proc/cpuinfo").read_text()
    found = re.search(r"^model name\s*:\s*(.+)$", cpu, re.MULTILINE)
    memory = Path("/proc/meminfo").read_text()
    total = re.search(r"^MemTotal:\s*(\d+)", memory, re.MULTILINE)
    # What follows the numbers of a kernel's release names its builder.
    kernel = re.match(r"[0-9.]*[0-9]", platform.release())
    return {
        "processor": found.group(1).strip() if found else platform.machine(),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(int(total.group(1)) / 1048576) if total else 0,
        "kernel": f"{platform.system()} {kernel.group() if kernel else ''}".strip(),
    }
