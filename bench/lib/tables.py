"""
A result as Markdown: what docs/performance.md shows between its markers.
"""

from . import targets
from .result import median

SENDERS = (1, 4, 16)
SIZES = targets.SIZE_NAMES


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}"


def shown(result, name):
    """median (lowest–highest)"""
    figure = result.figures.get(name)
    if not figure:
        return "–"
    runs = figure["runs"]
    if len(runs) == 1:
        return number(runs[0])
    return f"{number(median(runs))} ({number(min(runs))}–{number(max(runs))})"


def share(result, name, other):
    mine, theirs = result.median(name), result.median(other)
    return f"{mine / theirs:.2f}" if mine is not None and theirs else "–"


def table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def by_senders(result, lines):
    """lines: [(words, pattern with {size} and {senders}, pattern of what it is a share of or None)]"""
    def cell(pattern, other, where):
        name = pattern.format(**where)
        return share(result, name, other.format(**where)) if other else shown(result, name)

    rows = [[f"{words}, {size_name}"] + [cell(pattern, other, {"size": size, "senders": senders}) for senders in SENDERS]
            for size, size_name in SIZES.items() for words, pattern, other in lines]
    return table(["objects a second", "1 sender", "4 senders", "16 senders"], rows)


def machine(result):
    data, settings = result.data["machine"], result.data["settings"]
    versions = ", ".join(f"{name} {version}" for name, version in data["versions"].items() if version)
    yield (f"{data['processors']} cores ({data['processor']}), {data['memory_gb']} GB memory, Linux {data['kernel']}, {data['file_system']}. "
           f"{versions}. {settings['runs']} runs of {settings['seconds']:g} s each; medians, lowest and highest in brackets; {data['date'][:10]}.")
    yield ""
    for warning in result.data["warnings"]:
        yield f"**Warning:** {warning}."
        yield ""


def plot(stem, name, words):
    yield f"![{words}]({stem}-{name}.svg)"
    yield ""


def target_table(result):
    rows = [[target.what, target.text, "yes" if target.met else "**no**"] for target in targets.all_of(result)]
    return table(["Target", "Measured", "Met"], rows) if rows else ()


def receive(result, stem):
    yield "### Durable receive"
    yield ""
    for size, size_name in SIZES.items():
        yield from plot(stem, f"receive-{size}", f"objects of {size_name} received a second")
    yield from by_senders(result, [
        ("dicomgw", "receive/{size}/{senders}/dicomgw", None),
        ("Orthanc + PostgreSQL", "receive/{size}/{senders}/orthanc", None),
        ("storescp +B, nothing synced", "receive/{size}/{senders}/storescp", None),
        ("the disk alone, files synced", "limits/{size}/{senders}/synced files", None),
        ("dicomgw ÷ Orthanc", "receive/{size}/{senders}/dicomgw", "receive/{size}/{senders}/orthanc"),
        ("dicomgw ÷ storescp", "receive/{size}/{senders}/dicomgw", "receive/{size}/{senders}/storescp"),
        ("dicomgw ÷ disk", "receive/{size}/{senders}/dicomgw", "limits/{size}/{senders}/synced files")])


def end_to_end(result, stem):
    yield "### Receive, route, forward"
    yield ""
    for size, size_name in SIZES.items():
        yield from plot(stem, f"end_to_end-{size}", f"objects of {size_name} arrived a second")
    yield from by_senders(result, [
        ("dicomgw, arrived", "end_to_end/{size}/{senders}/dicomgw", None),
        ("received meanwhile", "end_to_end/{size}/{senders}/dicomgw received", None),
        ("Orthanc, arrived", "end_to_end/{size}/{senders}/orthanc", None),
        ("received meanwhile", "end_to_end/{size}/{senders}/orthanc received", None),
        ("dicomgw ÷ Orthanc, arrived", "end_to_end/{size}/{senders}/dicomgw", "end_to_end/{size}/{senders}/orthanc")])


def others(result, stem):
    """Every figure that is in no table above."""
    rest = [name for name in result.figures if name.split("/")[0] not in ("receive", "end_to_end") and "synced files" not in name]
    yield "### Everything else"
    yield ""
    if "sustained/queue" in result.data["series"]:
        yield from plot(stem, "sustained", "length of the queue over time")
    yield from table(["Figure", "Unit", "Median (lowest–highest)"],
                     [[name.replace("/", ", "), result.figures[name]["unit"], shown(result, name)] for name in rest])


def document(result, stem):
    """stem: how the plots' names begin, seen from the document"""
    parts = [machine(result), target_table(result)]
    for section, prefix in ((receive, "receive/"), (end_to_end, "end_to_end/"), (others, "")):
        if any(name.startswith(prefix) for name in result.figures):
            parts.append(section(result, stem))
    return "\n".join(line for part in parts for line in part)
