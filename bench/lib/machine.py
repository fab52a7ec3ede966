"""
What a result was measured on: processors, memory, kernel, file system, versions of everything.
"""

import datetime
import os
import platform
import subprocess


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return ((done.stdout or done.stderr).strip().splitlines() or [None])[0]


def package(name):
    return first_line("dpkg-query", "-W", "-f", "${Version}", name)


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        return next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), platform.machine())


def memory_gb():
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)


def file_system(folder):
    """Kind and options of what is mounted there."""
    best = ("", "unknown")
    with open("/proc/self/mounts", encoding="utf-8") as f:
        for line in f:
            device, point, kind, options = line.split()[:4]
            inside = folder == point or folder.startswith(point.rstrip("/") + "/")
            if inside and len(point) >= len(best[0]):
                best = (point, f"{kind} ({options}) on {'a loop device' if 'loop' in device else 'a device'}")
    return best[1]


def journaled(folder):
    """Whether ext4 there has a journal: without one the kernel makes no journal thread for the device."""
    device = os.stat(folder).st_dev
    path = os.path.realpath(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}")
    return os.path.isdir(f"/proc/fs/jbd2/{os.path.basename(path)}-8")


def describe(bench):
    return {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "processors": os.cpu_count(),
        "processor": processor(),
        "memory_gb": memory_gb(),
        "kernel": platform.release(),
        "file_system": file_system(bench.disk),
        "versions": {
            "dicomgw": os.environ.get("VERSION"),
            "PostgreSQL": first_line(os.path.join(bench.bindir, "postgres"), "--version").split()[2],
            "DCMTK": package("dcmtk"),
            "Orthanc": package("orthanc"),
            "orthanc-postgresql": package("orthanc-postgresql"),
            "Python": platform.python_version(),
        },
    }
