"""The figures of report.py: each function takes the tables of a results file and returns HTML, empty without data."""
import base64
import html
import io
import textwrap

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.axes_grid1 import make_axes_locatable

CURVES_SHOWN = 60
MATRIX_NAMES = 50  # with more volumes, their names would overlap


def image(figure, caption):
    memory = io.BytesIO()
    figure.savefig(memory, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    data = base64.b64encode(memory.getvalue()).decode()
    return f'<p><img alt="{html.escape(caption, True)}" src="data:image/png;base64,{data}"><br>' \
           f'<span class="note">{html.escape(caption)}</span></p>'


def panels(count, width=4.6, height=3.8, columns=3, **shared):
    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(width * columns, height * rows), squeeze=False, **shared)
    for axis in axes.flat[count:]:
        axis.set_visible(False)
    for axis in axes.flat[:count]:
        first = axis.get_subplotspec().is_first_col()
        axis.tick_params(labelbottom=True, labelleft=first or shared.get("sharey") != "row")
    return figure, list(axes.flat[:count])


def legend_beside(axis, handles, labels):
    """Right of the last panel, where no data can lie under it; after tight_layout, which would make room inside."""
    axis.legend(handles, labels, fontsize=8, loc="upper left", bbox_to_anchor=(1.02, 1), borderaxespad=0)


def with_unit(name, unit):
    return name if unit in ("", "1") else f"{name} [{unit}]"


def colours_of(names):
    return {name: f"C{i % 10}" for i, name in enumerate(dict.fromkeys(map(str, names)))}


def scatter(tables):
    """Fig. 2 and 3: each arm's Dice against the reference's, one point a grid point and repeat."""
    points = tables.get("/analysis/points")
    if points is None or not points.has("arm", "external_dice", "reference_external_dice"):
        return ""
    result = ""
    for score in ("external", "validation"):
        own, reference = f"{score}_dice", f"reference_{score}_dice"
        if not points.has(own, reference):
            continue
        shown = []
        for arm in dict.fromkeys(points["arm"]):
            mine = points["arm"] == arm
            x, y = points[own][mine], points[reference][mine]
            both = np.isfinite(x) & np.isfinite(y)
            if both.any() and not np.array_equal(x[both], y[both]):
                shown.append((arm, x[both], y[both]))
        if not shown:
            continue
        figure, axes = panels(len(shown), sharex=True, sharey=True)
        values = np.concatenate([part for _, x, y in shown for part in (x, y)])
        ends = [values.min(), values.max()]
        for axis, (arm, x, y) in zip(axes, shown):
            axis.plot(ends, ends, color="0.8", linewidth=1, zorder=0)
            axis.scatter(x, y, s=18, alpha=0.7)
            r = np.corrcoef(x, y)[0, 1] if len(x) > 1 and np.ptp(x) > 0 and np.ptp(y) > 0 else np.nan
            axis.set(title=f"{arm}: r = {r:.3f}" if np.isfinite(r) else str(arm), xlabel=f"{score} Dice, this arm",
                     ylabel=f"{score} Dice, reference")
        figure.tight_layout()
        result += image(figure, f"Proxy versus full, {score} Dice (paper, Fig. 2 and 3); the line: equal Dice")
    return result


def budget(tables):
    """Fig. 4A and B: one colour an arm, one mark a way of choosing; points of equal cases stand side by side."""
    table = tables.get("/analysis/dice_against_budget")
    if table is None or not table.has("arm", "cases"):
        return ""
    scores = [name for name in ("external_dice", "validation_dice")
              if table.has(name) and np.isfinite(table[name]).any()]
    if not scores:
        return ""
    chosen = table["chosen_by"] if table.has("chosen_by") else np.full(table.rows(), "")
    marks = {how: "osD^"[i % 4] for i, how in enumerate(dict.fromkeys(map(str, chosen)))}
    colours = colours_of(table["arm"])
    step = 0.03 * max(np.nanmax(table["cases"]) - np.nanmin(table["cases"]), 1) / max(len(marks), 1)
    pairs = list(zip(map(str, table["arm"]), map(str, chosen)))
    figure, axes = panels(len(scores), 5.2)
    for axis, score in zip(axes, scores):
        deviation = score + "_deviation"
        for row in range(table.rows()):
            arm, how = pairs[row]
            beside = sorted((pairs[i] for i in np.flatnonzero(table["cases"] == table["cases"][row])))
            place = beside.index((arm, how)) if beside else 0
            x = table["cases"][row] + (place - (len(beside) - 1) / 2) * step
            error = np.nan_to_num(table[deviation][row]) if table.has(deviation) else 0
            axis.errorbar(x, table[score][row], error, fmt=marks[how], color=colours[arm], capsize=2, markersize=5)
        axis.set(xlabel="cases used", ylabel=score.replace("_dice", " Dice"))
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.tight_layout()
    handles = [plt.Line2D([], [], linestyle="", marker="o", color=colour) for colour in colours.values()]
    handles += [plt.Line2D([], [], linestyle="", marker=mark, color="0.4") for mark in marks.values()]
    legend_beside(axes[-1], handles, list(colours) + [f"chosen by {how}" if how else "mean" for how in marks])
    return image(figure, "Dice against budget (paper, Fig. 4A and B); mean and deviation of "
                 "the repeats; arms of equal budget stand side by side")


def bars(table, label, values, caption, group=None):
    if table is None or not table.has(label, *values):
        return ""
    keys = [f"{a} · {b}" for a, b in zip(table[label], table[group])] if group else list(map(str, table[label]))
    keep = [i for i in range(len(keys)) if any(np.isfinite(table[v][i]) for v in values)]
    if not keep:
        return ""
    figure, axes = panels(len(values), height=0.9 + 0.3 * len(keep), sharey="row")
    for axis, value in zip(axes, values):
        numbers = table[value][keep]
        drawn = axis.barh([keys[i] for i in keep], np.nan_to_num(numbers))
        axis.bar_label(drawn, ["–" if np.isnan(n) else f"{n:.3g}" for n in numbers], padding=3, fontsize=8)
        axis.set_xlabel(with_unit(value, table.units[value]))
        axis.margins(x=0.18)
        axis.xaxis.set_major_locator(MaxNLocator(4))
    axes[0].invert_yaxis()
    figure.tight_layout()
    return image(figure, caption)


def matrices(tables):
    """Each pair matrix in the order of each importance that arms asked for; by name where none did."""
    result = ""
    for table in tables.values():
        if "similarity" not in table or table["similarity"].ndim != 2 or not np.isfinite(table["similarity"]).any():
            continue
        rankings = [one for one in importance_tables(tables) if matrix_of(one, tables) is table]
        for ranking in rankings:
            result += heat_map(table, places(table, ranking), "volume, least similar first",
                               chosen_by_arm(tables, ranking.path.rpartition("/")[2]),
                               f"{ranking.path}: similarity of all pairs, least similar to all others first; "
                               "a dot: proxy data of that arm")
        if not rankings:
            result += heat_map(table, np.arange(len(table["similarity"])), "volume, by name", {},
                               f"{table.path}: {table.description or 'pair matrix'}")
    return result


def importance_tables(tables):
    return [t for t in tables.values() if t.path.startswith("/similarity/importance/") and t.rows()
            and t.has("case", "importance")]


def matrix_of(ranking, tables):
    """The longest name counts: "ncc_label_median" is of "ncc_label", not of "ncc"."""
    name = ranking.path.rpartition("/")[2] + "_"
    fitting = [t for t in tables.values() if t.path.startswith("/similarity/matrix/") and "similarity" in t
               and name.startswith(t.path.rpartition("/")[2] + "_")]
    return max(fitting, key=lambda t: len(t.path), default=None)


def places(matrix, ranking):
    """Rows of the matrix, the case of lowest importance first."""
    row_of = {case: row for row, case in enumerate(matrix["case"])}
    order = np.argsort(ranking["importance"], kind="stable")
    return np.array([row_of[case] for case in ranking["case"][order]])


def chosen_by_arm(tables, ranking):
    """Cases that arms picked by this ranking, arms of the same choice together."""
    arms, selection = tables.get("/arms"), tables.get("/selection")
    if arms is None or selection is None or not arms.has("arm", "ranking") or not selection.has("arm", "case"):
        return {}
    groups = {}
    for arm in arms["arm"][arms["ranking"] == ranking]:
        groups.setdefault(frozenset(selection["case"][selection["arm"] == arm]), []).append(str(arm))
    return {textwrap.shorten(", ".join(names), 60, placeholder=" …"): cases for cases, names in groups.items()}


def heat_map(table, order, order_name, chosen, caption):
    shown = table["similarity"].astype(float)
    square = shown.shape[0] == shown.shape[1]
    if square:
        shown = shown[np.ix_(order, order)]
        if len(shown) > 1:
            np.fill_diagonal(shown, np.nan)  # a volume with itself would set the scale
    side = min(max(5, 0.24 * len(shown)), 12)
    figure, (axis,) = panels(1, side + 1 + 0.3 * len(chosen), side)
    beside = make_axes_locatable(axis)
    drawn = axis.imshow(shown, interpolation="nearest", aspect="equal" if square else "auto",
                        cmap=plt.get_cmap("viridis").with_extremes(bad="0.9"))
    if table.has("case") and len(shown) <= MATRIX_NAMES and square:
        axis.set_xticks(range(len(shown)), table["case"][order], rotation=90, fontsize=8)
        axis.set_yticks(range(len(shown)), table["case"][order], fontsize=8)
    else:
        axis.set(xlabel=order_name, ylabel=order_name)
    if chosen:
        marks = beside.append_axes("right", size=0.3 * len(chosen), pad=0.1, sharey=axis)
        mark_chosen(marks, [set(cases) for cases in chosen.values()], table["case"][order], list(chosen))
    figure.colorbar(drawn, cax=beside.append_axes("right", size=0.15, pad=0.15),
                    label=with_unit("similarity", table.units["similarity"]))
    return image(figure, caption)


def mark_chosen(axis, chosen, cases, names):
    """A dot beside the row of each chosen case, one column a choice."""
    for column, these in enumerate(chosen):
        rows = [row for row, case in enumerate(cases) if case in these]
        axis.plot([column] * len(rows), rows, "o", color=f"C{column % 10}", markersize=5)
    axis.set_xticks(range(len(names)), names, rotation=90, fontsize=8)
    axis.set_xlim(-0.6, len(names) - 0.4)
    axis.tick_params(left=False, labelleft=False)
    for line in axis.spines.values():
        line.set_visible(False)


def importances(tables):
    result = ""
    for table in importance_tables(tables):
        order = np.argsort(table["importance"], kind="stable")
        figure, (axis,) = panels(1, max(5, min(0.24 * len(order), 14)), 3)
        axis.bar(range(len(order)), table["importance"][order])
        axis.set_ylabel(with_unit("importance", table.units["importance"]))
        if len(order) <= MATRIX_NAMES:
            axis.set_xticks(range(len(order)), table["case"][order], rotation=90, fontsize=8)
        else:
            axis.set_xlabel("volume, least similar first")
        result += image(figure, f"{table.path}: least similar to all others first")
    return result


def traces(tables):
    found = [t for t in tables.values() if t.has("proposal", "best_reward") and t.rows() > 0]
    if not found:
        return ""
    figure, axes = panels(len(found), sharex=True, sharey=True)
    for axis, table in zip(axes, found):
        known = table.has("reward")
        trial = axis.plot(table["proposal"], table["reward"], "o", markersize=4, alpha=0.6) if known else []
        best = axis.step(table["proposal"], table["best_reward"], where="post")
        axis.set(title=table.path.rpartition("/")[2], xlabel="trial", ylabel="validation Dice")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.tight_layout()
    legend_beside(axes[-1], trial + best, ["trial", "best so far"][-len(trial + best):])
    return image(figure, "Search traces: best validation Dice of each trial, in the order of proposal")


def curves(tables):
    result = ""
    for table in tables.values():
        names = [n for n in ("loss", "validation_dice") if n in table and table[n].ndim == 2 and table[n].size]
        if not names:
            continue
        total = table[names[0]].shape[0]
        rows = np.unique(np.linspace(0, total - 1, min(total, CURVES_SHOWN)).astype(int))
        trials = tables.get("/trials/" + table.path.rpartition("/")[2])
        arms = dict(zip(trials["trial"], trials["arms"])) if trials and trials.has("trial", "arms") else {}
        arm_of = [str(arms.get(table["trial"][row], "")) if table.has("trial") else "" for row in rows]
        colours = colours_of(arm_of)
        figure, axes = panels(len(names), 5.2)
        for axis, name in zip(axes, names):
            for row, arm in zip(rows, arm_of):
                known = np.flatnonzero(np.isfinite(table[name][row]))
                axis.plot(known + 1, table[name][row][known], color=colours[arm], alpha=0.6, linewidth=1,
                          marker="." if len(known) < 3 else None)
            axis.set(xlabel="epoch", ylabel={"loss": "training loss", "validation_dice": "validation Dice"}[name])
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.tight_layout()
        if any(colours):
            short = [textwrap.shorten(arm.replace(",", ", "), 60, placeholder=" …") for arm in colours]
            legend_beside(axes[-1], [plt.Line2D([], [], color=colour) for colour in colours.values()], short)
        result += image(figure, f"{table.path}: learning curves of {len(rows)} of {total} trials")
    return result
