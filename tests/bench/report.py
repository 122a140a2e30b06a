"""What the benchmarks say of their runs: medians, ratios, targets, tables."""

import statistics

COLUMNS = {
    "wall_ms": "wall, ms", "cpu_ms": "CPU, ms", "rss_mib": "RSS, MiB",
    "script_ms": "first answer to script, ms", "answer_ms": "reachable to first answer, ms",
    "requests": "requests", "slope": "slope",
    "size_mib": "size, MiB", "packages": "packages", "login_ms": "to sshd, ms",
    "marker_ms": "to user-data, ms", "units_cpu_ms": "CPU of its units, ms",
    "boot_cpu_ms": "CPU of the boot, ms", "added_cpu_ms": "CPU that it adds, ms",
}
UNITS = {"wall_ms": "ms", "cpu_ms": "ms", "rss_mib": "MiB"}
COUNTS = ("requests", "packages")


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
            if figure not in entry or figure not in table[base]:
                continue
            whole = table[base][figure]["median"]
            entry[figure]["ratio"] = entry[figure]["median"] / whole if whole > 0 else None


def compare(results, targets):
    """The targets, (measurement, contestant, figure, what it is a multiple of or None, at most),
    each with what was measured, where it was."""
    rows = []
    for measurement, name, figure, base, limit in targets:
        entry = results.get(measurement, {}).get(name)
        value = None
        if entry is not None:
            value = entry[figure]["median"] if base is None else entry[figure].get("ratio")
        rows.append({"measurement": measurement, "contestant": name, "figure": figure,
                     "unit": UNITS.get(figure, "") if base is None else f"x {base}",
                     "measured": value, "target": limit})
    return rows


def cell(figure, entry):
    digits = 0 if figure in COUNTS else 2
    text = (f"{entry['median']:.{digits}f} "
            f"({entry['min']:.{digits}f}-{entry['max']:.{digits}f})")
    return text + (f" {entry['ratio']:6.2f} x" if entry.get("ratio") is not None else "")


def print_table(title, table):
    figures = [key for entry in table.values() for key in entry if key != "runs"]
    figures = list(dict.fromkeys(figures))
    rows = [["", "runs", *(COLUMNS[figure] for figure in figures)]]
    rows += [[name, str(entry["runs"]),
              *(cell(figure, entry[figure]) if figure in entry else "" for figure in figures)]
             for name, entry in table.items()]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    print(f"\n{title}: median (least-most)")
    for row in rows:
        print("  " + row[0].ljust(widths[0]) + "  " +
              "  ".join(text.rjust(width) for text, width in zip(row[1:], widths[1:])))


def print_text(results, headings):
    for measurement, title in headings.items():
        if results.get(measurement):
            print_table(title, results[measurement])
    print("\nTargets of bootlace")
    for row in results["targets"]:
        measured = "not measured" if row["measured"] is None else f"{row['measured']:.3g}"
        print(f"  {row['measurement']:8} {row['contestant']:16} {row['figure']:10} "
              f"{measured:>12}   at most {row['target']} {row['unit']}")
    for name, reason in results["skipped"].items():
        print(f"\nNot measured: {name}: {reason}")
