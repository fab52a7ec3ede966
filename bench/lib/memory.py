"""
The memory that processes have to themselves, and their share of what they have together with
others (Pss), as the kernel counts it in smaps_rollup.
"""

import os


def children():
    """Each process with its children."""
    tree = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as f:
                    parent = int(f.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            tree.setdefault(parent, []).append(int(name))
    return tree


def below(pid):
    tree, found, todo = children(), [], [pid]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo.extend(tree.get(pid, ()))
    return found


def command(pid):
    """Empty if it has ended."""
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as f:
            return f.read().replace("\0", " ").strip()
    except OSError:
        return ""


def private_and_share(pid):
    """Megabytes."""
    kilobytes = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        for line in f:
            name, _, value = line.partition(":")
            if value.endswith("kB\n"):
                kilobytes[name] = int(value.split()[0])
    return (kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]) / 1024, kilobytes["Pss"] / 1024
