"""The table, the JSON file, and the comparison of two of them."""

import json


def number(value):
    if value is None:
        return "-"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 100 else f"{value:.2f}"


def table(rows, head):
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in [head, *rows]]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def figures_table(records):
    """One line for each figure: median with spread, yardstick, ratio, target, and whether it is met."""
    head = ["", "figure", "median", "spread", "unit", "yardstick in this run", "ratio", "target", "met"]
    rows = []
    for item in records:
        yard = item["yardstick"]
        sign = "<=" if item["better"] == "low" else ">="
        rows.append(
            [
                item["workload"], item["name"], number(item["median"]),
                f"{number(item['min'])} to {number(item['max'])}", item["unit"],
                f"{number(yard['value'])} {yard['unit']}: {yard['name']}" if yard else "-",
                f"{number(item['ratio'])}x" if item["ratio"] is not None else "-",
                f"{sign} {number(item['target'])}" if item["target"] is not None else "-",
                {True: "yes", False: "NO", None: "-"}[item["met"]],
            ]
        )
    return table(rows, head)


def drift(old, new):
    """By how much the machine was slower (above 1) in the new run, as the figure's own yardstick says; 1 where it has none."""
    before, after = old.get("yardstick"), new.get("yardstick")
    if not before or not after or before["unit"] != after["unit"] or not before["value"] or not after["value"]:
        return 1.0
    change = after["value"] / before["value"]
    return change if new["better"] == "low" else 1 / change


def compare_one(old, new):
    """The loss as a factor (above 1 is worse), and whether it is more than 15 % beyond the spread of both.

    The best repeat of the new run is held against the worst of the old. A machine that is slower as a whole is no loss: where
    the figure's yardstick became worse too, the loss counts only as far as it goes beyond that.
    """
    if new["better"] == "low":
        loss = new["median"] / old["median"] if old["median"] else 1.0
        beyond = new["min"] / old["max"] if old["max"] else 1.0
    else:
        loss = old["median"] / new["median"] if new["median"] else float("inf")
        beyond = old["min"] / new["max"] if new["max"] else float("inf")
    return loss, beyond / max(1.0, drift(old, new)) > 1.15


def compare(old, new):
    """A table of ratios and the list of figures that became worse than is allowed."""
    before = {(item["workload"], item["name"]): item for item in old["figures"]}
    rows, lost = [], []
    for item in new["figures"]:
        known = before.get((item["workload"], item["name"]))
        if known is None:
            continue
        loss, fails = compare_one(known, item)
        if fails:
            lost.append(f"{item['workload']} {item['name']}")
        rows.append(
            [
                item["workload"], item["name"], number(known["median"]), number(item["median"]), item["unit"],
                f"{loss:.2f}", f"{drift(known, item):.2f}", "LOST" if fails else "",
            ]
        )
    head = ["", "figure", "old", "new", "unit", "loss (above 1 is worse)", "machine", ""]
    return table(rows, head), lost


def write(path, run):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(run, file, indent=2)
        file.write("\n")


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)
