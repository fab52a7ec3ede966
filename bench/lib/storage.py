"""
Folders on the disk of the benchmark: counted, emptied, synced.

Nothing is deleted between runs.  For minutes after files were deleted, ext4 looks at each of
their inodes in turn whenever it makes a file nearby (recently_deleted() in fs/ext4/ialloc.c),
and the next run would pay for the one before it.
"""

import itertools
import os
import subprocess

names = map(str, itertools.count())


def put_away(folder):
    """Empties a folder, and leaves it there: what was in it is kept beside it, without its bytes."""
    for entry in list(os.scandir(folder)) if os.path.isdir(folder) else ():
        put_away_entry(folder, entry.path)


def put_away_entry(folder, path):
    """The same of one file or folder in it."""
    if os.path.isdir(path):
        for below, _, files in os.walk(path):
            for name in files:
                os.truncate(os.path.join(below, name), 0)
    else:
        os.truncate(path, 0)
    aside = folder + "-put-away"
    os.makedirs(aside, exist_ok=True)
    os.rename(path, os.path.join(aside, next(names)))


def sync_file_system(folder):
    """What one run has left to be written is not paid for by the next."""
    subprocess.run(["sync", "-f", folder if os.path.isdir(folder) else os.path.dirname(folder)], check=True)


def count_files(folder):
    """Of one folder, without those below."""
    return sum(1 for _ in os.scandir(folder)) if os.path.isdir(folder) else 0
