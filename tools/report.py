#!/usr/bin/env python3
"""One self-contained HTML page of a results file: study, tables and figures of the paper.

usage: report.py results.h5 [-o report.html] [--csv FOLDER]
Exit code 3 and one sentence for a file that is no results file of proxytune.
"""
import argparse
import html
import os
import sys

import h5py
import numpy as np

from report_figures import bars, budget, curves, importances, matrices, scatter, traces

ROWS_SHOWN = 50
# These come first, in this order; every other table follows in the order of the file.
FIRST = ["/analysis/table_1", "/analysis/correlations", "/analysis/table_2", "/execution/table_2_costs",
         "/analysis/relative_distances", "/analysis/dice_against_budget"]
STYLE = """body{font:15px/1.45 sans-serif;margin:2em auto;max-width:75em;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:.6em 0 1.4em;font-size:13px}td,th{padding:.25em .7em;border-bottom:1px solid #ddd;
text-align:left;white-space:nowrap;max-width:28em;overflow:hidden;text-overflow:ellipsis}th{border-bottom:2px solid #888;
cursor:help}.wide{overflow-x:auto}pre{background:#f5f5f5;padding:1em;overflow-x:auto}img{max-width:100%}
.note{color:#666}h2{margin-top:2em}"""


class NoResults(Exception):
    """The file is no results file; the text is the sentence for the user."""


def text(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


class Table:
    """One group that holds datasets: columns by name, with units and descriptions."""

    def __init__(self, group):
        self.path = group.name
        self.description = text(group.attrs.get("description", ""))
        self.columns, self.units, self.help = {}, {}, {}
        for name, item in group.items():
            if not isinstance(item, h5py.Dataset) or item.ndim == 0:
                continue
            values = item[:]
            if values.dtype.kind == "S":
                values = np.char.decode(values, "utf-8", "replace") if values.size else values.astype(str)
            self.columns[name] = values
            self.units[name] = text(item.attrs.get("units", ""))
            self.help[name] = text(item.attrs.get("description", ""))

    def __contains__(self, name):
        return name in self.columns

    def __getitem__(self, name):
        return self.columns[name]

    def has(self, *names):
        return all(name in self.columns and self.columns[name].ndim == 1 for name in names)

    def flat(self):
        return {name: values for name, values in self.columns.items() if values.ndim == 1}

    def rows(self):
        return max((len(values) for values in self.columns.values()), default=0)


def read(path):
    """Attributes of the root, and tables by path."""
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        why = "no such file" if not os.path.exists(path) else f"no readable HDF5 file ({str(error)[:120]})"
        raise NoResults(f"{path}: {why}; give the results.h5 of a study's output folder") from error
    with file:
        if text(file.attrs.get("format", "")) != "proxytune results":
            raise NoResults(f"{path}: this HDF5 file is no results file of proxytune; give the results.h5 of a "
                            "study's output folder")
        attributes = {name: text(value) for name, value in file.attrs.items()}
        tables = {}

        def visit(_, item):
            if isinstance(item, h5py.Group):
                table = Table(item)
                if table.columns:
                    tables[table.path] = table

        try:
            file.visititems(visit)
        except (OSError, RuntimeError, ValueError) as error:
            raise NoResults(f"{path}: damaged at a table ({error}); run `proxytune verify` on the study") from error
    return attributes, merged(tables)


def merged(tables):
    """Columns of more than one extent lie in `<table>_arrays`, row for row beside their table."""
    for path in [path for path in tables if path.endswith("_arrays") and path[:-len("_arrays")] in tables]:
        arrays, table = tables.pop(path), tables[path[:-len("_arrays")]]
        for part in ("columns", "units", "help"):
            getattr(table, part).update(getattr(arrays, part))
    return tables


def cell(value):
    if isinstance(value, (float, np.floating)):
        return "–" if np.isnan(value) else f"{value:.4g}"
    return html.escape(str(value))


def html_table(table):
    columns = table.flat()
    heads = "".join(f'<th title="{html.escape(table.help[n], True)}">{html.escape(n)}'
                    + (f" [{html.escape(table.units[n])}]" if table.units[n] not in ("", "1") else "") + "</th>"
                    for n in columns)
    count = min(ROWS_SHOWN, len(next(iter(columns.values()))))
    rows = "".join("<tr>" + "".join(f"<td>{cell(values[i])}</td>" for values in columns.values()) + "</tr>"
                   for i in range(count))
    total = len(next(iter(columns.values())))
    more = f'<p class="note">{total - count} more rows in {html.escape(table.path)}</p>' if total > count else ""
    if total == 0:
        more = '<p class="note">no rows</p>'
    return f'<div class="wide"><table><tr>{heads}</tr>{rows}</table></div>{more}'


def page(path, attributes, tables):
    long_texts = tables.pop("/attributes", None)
    if long_texts:
        attributes.update({name: str(values[0]) for name, values in long_texts.columns.items()})
    short = {n: v for n, v in attributes.items() if n != "study" and "\n" not in v and len(v) < 300}
    parts = ["<h2>Study</h2><table>"]
    parts += [f"<tr><th>{html.escape(n)}</th><td>{html.escape(v)}</td></tr>" for n, v in sorted(short.items())]
    parts.append("</table>")
    parts += [f"<details><summary>{html.escape(n)}</summary><pre>{html.escape(v)}</pre></details>"
              for n, v in sorted(attributes.items()) if n not in short]
    costs = tables.get("/execution/table_2_costs")
    hours = [n for n in ("search_hours", "with_ranking_hours", "with_training_hours") if costs and n in costs]
    for title, figures in [
            ("Proxy versus full", scatter(tables)), ("Budget", budget(tables)),
            ("Distances of found hyper-parameters",
             bars(tables.get("/analysis/relative_distances"), "arm", ["scaled_distance", "relative_distance"],
                  "Distance to the reference's choice (paper, Fig. 4C and D)", "hyper_parameter")),
            ("Similarity of volumes", matrices(tables) + importances(tables)), ("Search", traces(tables)),
            ("Learning curves", curves(tables)),
            ("Cost", bars(costs, "arm", hours, "Device time by arm (paper, Table 2)") if hours else "")]:
        if figures:
            parts.append(f"<h2>{title}</h2>{figures}")
    order = [p for p in FIRST if p in tables] + [p for p in tables if p not in FIRST]
    for name in order:
        if tables[name].flat():
            parts.append(f"<h2>{html.escape(name)}</h2><p>{html.escape(tables[name].description)}</p>")
            parts.append(html_table(tables[name]))
    title = html.escape(attributes.get("title", os.path.basename(path)))
    return f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>' \
           f"<style>{STYLE}</style></head><body><h1>{title}</h1>{''.join(parts)}</body></html>\n"


def write_csv(folder, tables):
    import pandas

    os.makedirs(folder, exist_ok=True)
    for path, table in tables.items():
        if table.flat():
            pandas.DataFrame(table.flat()).to_csv(os.path.join(folder, path[1:].replace("/", "-") + ".csv"),
                                                  index=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results")
    parser.add_argument("-o", "--output", help="the page; report.html beside the results file unless said")
    parser.add_argument("--csv", metavar="FOLDER", help="also write each table there as CSV")
    arguments = parser.parse_args()
    output = arguments.output or os.path.join(os.path.dirname(arguments.results) or ".", "report.html")
    try:
        attributes, tables = read(arguments.results)
    except NoResults as error:
        print(f"report.py: {error}", file=sys.stderr)
        return 3
    try:
        if arguments.csv:
            write_csv(arguments.csv, tables)
        with open(output, "w", encoding="utf-8") as stream:
            stream.write(page(arguments.results, attributes, tables))
    except OSError as error:
        print(f"report.py: cannot write: {error}", file=sys.stderr)
        return 4
    print(f"report: {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
