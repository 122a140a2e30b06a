"""What the benchmark of the first boot says of its runs: medians, ratios, targets, tables."""

import statistics

WHOLE_RUN = "floor's whole run"  # its wall with the service up

TARGETS = (
    # measurement, contestant, figure, what it is compared with, at most
    ("up", "bootlace", "wall_ms", "floor", 5),
    ("up", "bootlace", "cpu_ms", "floor", 6),
    ("up", "bootlace", "rss_mib", None, 12),
    ("waiting", "bootlace", "script_ms", WHOLE_RUN, 2),
    ("reading", "bootlace status", "wall_ms", "empty", 2),
    ("reading", "bootlace query", "wall_ms", "empty", 2),
)

HEADINGS = {
    "up": "A first boot with the service up: the whole program",
    "waiting": "Started before the service answers",
    "route": "Started before there is a route to the service",
    "reading": "Reading the record",
}
COLUMNS = {
    "wall_ms": "wall, ms", "cpu_ms": "CPU, ms", "rss_mib": "RSS, MiB",
    "script_ms": "first answer to script, ms", "answer_ms": "reachable to first answer, ms",
    "requests": "requests",
}


def summarize(figures):
    """Median, least and most of each figure of each contestant."""
    result = {}
    for name, runs in figures.items():
        if runs:
            result[name] = {"runs": len(runs)}
            for figure in runs[0]:
                values = [run[figure] for run in runs]
                result[name][figure] = {"median": statistics.median(values), "min": min(values),
                                        "max": max(values)}
    return result


def add_ratios(table, base, figures):
    """Each contestant's medians as multiples of those of `base`."""
    if base not in table:
        return
    for entry in table.values():
        for figure in figures:
            whole = table[base][figure]["median"]
            entry[figure]["ratio"] = entry[figure]["median"] / whole if whole > 0 else None


def compare(results):
    """The targets, each with what was measured, where it was."""
    rows = []
    for measurement, name, figure, base, limit in TARGETS:
        entry = results.get(measurement, {}).get(name)
        value = None
        if entry is not None and base == WHOLE_RUN:
            floor = results["up"].get("floor")
            value = entry[figure]["median"] / floor["wall_ms"]["median"] if floor else None
        elif entry is not None:
            value = entry[figure]["median"] if base is None else entry[figure].get("ratio")
        rows.append({"measurement": measurement, "contestant": name, "figure": figure,
                     "unit": "MiB" if base is None else f"x {base}", "measured": value,
                     "target": limit})
    return rows


def cell(figure, entry):
    digits = 0 if figure == "requests" else 2
    text = (f"{entry['median']:.{digits}f} "
            f"({entry['min']:.{digits}f}-{entry['max']:.{digits}f})")
    return text + (f" {entry['ratio']:6.2f} x" if entry.get("ratio") is not None else "")


def print_table(title, table):
    figures = [key for entry in table.values() for key in entry if key != "runs"]
    figures = list(dict.fromkeys(figures))
    rows = [["", "runs", *(COLUMNS[figure] for figure in figures)]]
    rows += [[name, str(entry["runs"]), *(cell(figure, entry[figure]) for figure in figures)]
             for name, entry in table.items()]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    print(f"\n{title}: median (least-most)")
    for row in rows:
        print("  " + row[0].ljust(widths[0]) + "  " +
              "  ".join(text.rjust(width) for text, width in zip(row[1:], widths[1:])))


def print_text(results):
    for measurement, title in HEADINGS.items():
        if results.get(measurement):
            print_table(title, results[measurement])
    print("\nTargets of bootlace")
    for row in results["targets"]:
        measured = "not measured" if row["measured"] is None else f"{row['measured']:.2f}"
        print(f"  {row['measurement']:8} {row['contestant']:16} {row['figure']:10} "
              f"{measured:>12}   at most {row['target']} {row['unit']}")
    for name, reason in results["skipped"].items():
        print(f"\nNot measured: {name}: {reason}")
