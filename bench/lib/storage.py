"""
Folders on the disk of the benchmark: counted, emptied, synced.
"""

import os
import shutil
import subprocess


def remove_below(folder):
    """Empties a folder, and leaves it there."""
    for entry in os.scandir(folder) if os.path.isdir(folder) else ():
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def sync_file_system(folder):
    """What one run has left to be written is not paid for by the next."""
    subprocess.run(["sync", "-f", folder if os.path.isdir(folder) else os.path.dirname(folder)], check=True)


def count_files(folder):
    """Of one folder, without those below."""
    return sum(1 for _ in os.scandir(folder)) if os.path.isdir(folder) else 0
