"""Pictures that answer a question: 100 people, a time line of evidence, patients over time, survival curves, a forest.

Each takes the values themselves, draws them by ``lib.figures.figure``, and computes from them what those who do not see
it are told. What a picture draws is its data and nothing else, so that ``DRAWN`` draws it again from there, for the image
that stands beside a link to the page.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.collections import PathCollection
from matplotlib.path import Path
from matplotlib.transforms import AffineDeltaTransform, offset_copy

from lib.evidence import last_searched
from lib.figures import BAND, INK, NARROW, QUIET, RECOMPUTED, REPORTED, RULE, WIDE, figure
from lib.values import Value
from whichdata.survival import KaplanMeier

SMALL = 9  # points: some 12 px on a page and on a phone
_LETTER = 0.62 * SMALL  # points that a letter takes, on average, in the widest type
_LINE = 1.35 * SMALL  # points from line to line
_BETWEEN = 0.7  # lines between two events of a time line


def icons(
    groups: Mapping[str, Value | tuple[int, int]], outcome: str, title: str, label: str, caption: str, note: str = ""
) -> None:
    """Show each group as 100 people: filled, so many as have the ``outcome``; on a pale ground, the confidence interval.

    ``groups``: for each name a share, or an estimate of shares; or two counts, so many of so many up to 100, who are
    then drawn one by one · the others as for ``figure``.

    Raises
    ------
    ValueError
        A value that is no share, or counts that are none of so few; and as for ``figure``.
    """
    rows = []
    for name, value in groups.items():
        if isinstance(value, tuple):
            some, whole = value
            if not 0 <= some <= whole <= 100 or not whole:
                raise ValueError(f"{label}: {name} is {some} of {whole}: give counts of up to 100 people")
            rows.append((name, some, whole, 0, 0))
            continue
        ends = value.ends or (value,)
        if any(end.unit != "%" or not 0 <= end.number <= 100 for end in ends):
            raise ValueError(
                f"{label}: {name} is {value}: 100 people show a share, or an estimate of shares, from 0 to 100%"
            )
        point, low, high = (round(end.number) for end in (*ends, *ends, *ends)[:3])
        rows.append((name, point, 100, low, high))
    data = pd.DataFrame(rows, columns=["group", "people", "of", "from", "to"])
    interval = next((v.interval for v in groups.values() if isinstance(v, Value) and v.interval), "")
    told = "; ".join(
        f"{name}, {point} of {whole}" + (f" ({interval} {low} to {high})" if low < high else "")
        for name, point, whole, low, high in rows
    )
    heights = [
        (1.2 if interval else 0.75)
        + 0.19 * max(len(_name_lines(name, inches / len(rows))) for name in groups)
        + min(inches / len(rows) / 8.6, 0.27) * _lines(data)
        for inches in (WIDE, NARROW)
    ]
    _emit("icons", data, title, label, caption, f"People, {outcome}: {told}.", note, *heights,
          outcome=outcome, interval=interval.replace("CI", "confidence interval"))  # fmt: skip


def timeline(
    events: Iterable[tuple[str | float, str, str]], title: str, label: str, caption: str, note: str = ""
) -> None:
    """Show what was known when, up to the day of the last search.

    ``events``: when (a year, or a part of one), what, and its role: ``source``, the text under review; ``report``, another
    report of the same study; ``randomised``; or ``other``.

    Raises
    ------
    ValueError
        A role that is none of these, or no event; and as for ``figure``.
    """
    rows = sorted((float(when), what, role) for when, what, role in events)
    if not rows or any(role not in ROLES for *_, role in rows):
        raise ValueError(f"{label}: give events, each with one of the roles {', '.join(ROLES)}")
    day = pd.Timestamp(last_searched())
    data = pd.DataFrame([*rows, (round(day.year + day.day_of_year / 366, 2), f"last searched {last_searched()}", "search")],
                        columns=["year", "what", "role"])  # fmt: skip
    told = "; ".join(f"{when:.0f}, {what}{ROLES[role]}" for when, what, role in rows)
    heights = [0.5 + _LINE / 72 * sum(len(lines) + _BETWEEN for _, lines in _labels(data, i)) for i in (WIDE, NARROW)]
    _emit("timeline", data, title, label, caption, f"A time line: {told}; {data.what.iloc[-1]}.", note, *heights)


ROLES = {"source": " (the source)", "report": " (the same study)", "randomised": " (randomised)", "other": ""}
"""What an event of a time line is, and how its picture says so in words."""


def survival(
    curves: Mapping[str, KaplanMeier], outcome: str, unit: str, title: str, label: str, caption: str, note: str = "",
    at: Sequence[float] = (), kind: str = "log-log",
) -> None:  # fmt: skip
    """Show Kaplan–Meier curves of up to three groups over one another, with what each rests on.

    Bands, the 95% confidence interval (Greenwood, on the scale ``kind``); ticks, patients who are censored; beneath, the
    number at risk ``at`` these times, by default where the axis has its ticks · ``outcome``: what those on the curve
    still have, in % · the others as for ``figure``.
    """
    data = survival_rows(curves, kind)
    told = "; ".join(
        f"{name}, {km.n} at risk, {sum(km.events)} with an event, {sum(km.censored)} censored, at the end "
        f"{100 * float(km.survival[-1]):.0f}%"
        + (f" (95% CI {100 * ends[0]:.0f} to {100 * ends[1]:.0f})" if ends else "")
        for name, km in curves.items()
        for ends in [km.interval(km.times[-1], kind)]
    )
    lines = 1 + 2 * len(curves)
    _emit("survival", data, title, label, caption, f"Kaplan–Meier curves from 0 to {float(data.time.max()):g} {unit}, {outcome}: {told}.",
          note, 3.0 + lines * _LINE / 72, 2.8 + lines * _LINE / 72, outcome=outcome, unit=unit, at=list(map(float, at)))  # fmt: skip


def survival_rows(curves: Mapping[str, KaplanMeier], kind: str = "log-log") -> pd.DataFrame:
    """The steps of Kaplan–Meier curves: at each time S just after it with its limits, and what happened, in %."""
    rows = []
    for name, km in curves.items():
        rows.append((name, 0.0, 100.0, 100.0, 100.0, km.n, 0, 0))
        for t, s, at_risk, events, censored in zip(km.times, km.survival, km.at_risk, km.events, km.censored):
            low, high = km.interval(t, kind) or (0.0, 1.0)
            rows.append((name, float(t), 100 * float(s), 100 * low, 100 * high, at_risk, events, censored))
    return pd.DataFrame(rows, columns=["group", "time", "survival", "low", "high", "at risk", "events", "censored"])


def swimmer(
    rows: pd.DataFrame, unit: str, title: str, label: str, caption: str, note: str = "", at: Sequence[float] = ()
) -> None:
    """Show each patient as a bar over time, in the order of ``rows``, with what happened at the ends of its parts.

    ``rows``: one for each part of a bar, columns ``patient`` (its name beside the bar), ``start``, ``end``, and if wanted
    ``state`` (what the part is, one of up to three, in words), ``mark`` (what happened at its end: one of ``MARKS``, or
    nothing) and ``group`` (a heading over neighbours with the same) · ``unit`` of time · ``at``: where the axis has its
    ticks · the others as for ``figure``. For the number at risk put ``survival`` beneath.

    Raises
    ------
    ValueError
        No row, a part that ends before it starts, a mark that is none of these, or more states than can be told apart;
        and as for ``figure``.
    """
    data = pd.DataFrame({c: rows.get(c, "") for c in ("group", "patient", "start", "end", "state", "mark")})
    data[["group", "state", "mark"]] = data[["group", "state", "mark"]].fillna("")
    data = data.astype({"patient": str, "start": float, "end": float}).reset_index(drop=True)
    if data.empty or (data.end < data.start).any() or not set(data["mark"]) <= {"", *MARKS}:
        raise ValueError(
            f"{label}: give parts that end after they start, each with one of the marks {', '.join(MARKS)}"
        )
    if data.state.nunique() > len(_PARTS):
        raise ValueError(f"{label}: {data.state.nunique()} states: at most {len(_PARTS)} can be told apart")
    told = []
    for group, part in data.groupby("group", sort=False):
        ends = {m: ", ".join(f"{t:g}" for t in sorted(part.end[part["mark"] == m])) for m in MARKS}
        n = part.patient.nunique()
        told.append(f"{group}{': ' if group else ''}{n} patient{'s' if n > 1 else ''}"
                    + "".join(f"; {m} at {times}" for m, times in ends.items() if times))  # fmt: skip
    lines = data.groupby("group", sort=False).patient.nunique().sum() + 1.2 * sum(data.group.unique() != "")
    heights = [0.75 + 0.19 * lines + _LINE / 72 * (len(_key(data, inches)) + 0.5) for inches in (WIDE, NARROW)]
    _emit("swimmer", data, title, label, caption, f"A swimmer plot, from 0 to {data.end.max():g} {unit}: {'. '.join(told)}.",
          note, *heights, unit=unit, at=list(map(float, at)))  # fmt: skip


MARKS = {
    "relapse": {"marker": "X", "color": RECOMPUTED},
    "response regained": {"marker": "o", "markerfacecolor": "none", "color": INK, "markeredgewidth": 1.4},
    "died": {"marker": "P", "color": INK},
    "censored": {"marker": "|", "color": INK, "markersize": 11, "markeredgewidth": 1.6},
    "ongoing": {"marker": ">", "color": QUIET},
}
"""What may happen at the end of a part of a patient's bar, and its sign."""


def forest(
    rows: pd.DataFrame, quantity: str, unit: str, title: str, label: str, caption: str, note: str = "",
    no_effect: float | None = None, log: bool = False,
) -> None:  # fmt: skip
    """Show estimates under one another with their intervals, each also as text: the source's own apart, pooled ones as diamonds.

    ``rows``: columns ``study``, ``value``, ``low``, ``high``, and if wanted ``group`` (a heading over neighbours with the same),
    ``n`` (as text: patients, or events of patients) and ``mark`` (``source``, as it reports; ``recomputed``, of the source and
    computed here; ``pooled``; ``prediction`` for the interval in which a further study would lie; ``observed``, hollow, for
    groups that were not randomised; or nothing) · ``quantity``, ``unit``: what the axis measures · ``no_effect``: where to draw a line · the others as for ``figure``.
    """
    data = pd.DataFrame({c: rows.get(c, "") for c in ("group", "study", "n", "value", "low", "high", "mark")})
    data[["group", "n", "mark"]] = data[["group", "n", "mark"]].fillna("")
    order = {group: i for i, group in enumerate(dict.fromkeys(data["group"]))}
    first = ~data["mark"].isin(_OWN)
    data = data.iloc[sorted(range(len(data)), key=lambda i: (order[data.group[i]], first[i]))].reset_index(drop=True)
    places = 2 if log else 0
    others = data[data["mark"] == ""]
    told = [
        f"{r.study}, {_in_text(r.value, r.low, r.high, places, unit)}" for r in data[data["mark"] != ""].itertuples()
    ]
    if len(others) < 4:
        told += [f"{r.study}, {_in_text(r.value, r.low, r.high, places, unit)}" for r in others.itertuples()]
    else:
        ends = (f"{pick(others.value):.{places}f}{unit}" for pick in (min, max))
        told.append(f"{len(others)} other estimates from {' to '.join(ends)}")
    lines = len(data) + data.group.nunique() + 1
    _emit("forest", data, title, label, caption, f"A forest plot, {quantity}: {'; '.join(told)}.", note,
          0.9 + 0.215 * lines, 0.9 + 0.36 * lines, quantity=quantity, unit=unit, no_effect=no_effect, log=log)  # fmt: skip


def _in_text(value: float, low: float, high: float, places: int, unit: str = "") -> str:
    """An estimate with its interval in figures, as far as there are any."""
    point = "" if value != value else f"{value:.{places}f}{unit}"
    ends = "" if low != low else f"{low:.{places}f}–{high:.{places}f}"
    return f"{point} ({ends})" if point and ends else point or ends


def _emit(
    kind: str, data: pd.DataFrame, title: str, label: str, caption: str, alt: str, note: str,
    height: float, narrow_height: float, **how,
) -> None:  # fmt: skip
    draw = partial(DRAWN[kind], data=data, **how)
    figure(
        draw, title, data, label, caption, alt, note, height=height, narrow_height=narrow_height, picture=(kind, how)
    )


_PERSON = Path.unit_circle()
_PERSON = Path.make_compound_path(
    Path(_PERSON.vertices * 0.17 + (0, 0.25), _PERSON.codes),
    Path(
        [
            (-0.28, -0.46),
            (-0.28, -0.2),
            (-0.28, 0.03),
            (0, 0.03),
            (0.28, 0.03),
            (0.28, -0.2),
            (0.28, -0.46),
            (-0.28, -0.46),
        ],
        [Path.MOVETO, Path.LINETO, Path.CURVE3, Path.CURVE3, Path.CURVE3, Path.CURVE3, Path.LINETO, Path.CLOSEPOLY],
    ),
)
"""Head and shoulders, within 0.8 by 1 around the origin."""


def _people(ax, xy, **look) -> None:
    """One person at each place, in the units of the axes, however large they come out."""
    people = PathCollection([_PERSON], offsets=xy, offset_transform=ax.transData, linewidths=0.8, clip_on=False, **look)
    people.set_transform(AffineDeltaTransform(ax.transData))
    ax.add_collection(people, autolim=False)


def _name_lines(name: str, inches: float) -> list[str]:
    """The name of a group, broken to so many inches."""
    return textwrap.wrap(name, int((72 * inches - 14) / (_LETTER + 0.6)))


def _lines(data: pd.DataFrame) -> int:
    """Lines of ten people that the largest group fills."""
    return -(-int(data["of"].max()) // 10)


def _icons(ax, data: pd.DataFrame, outcome: str, interval: str) -> None:
    tens = _lines(data)
    x, y = np.meshgrid(0.8 * np.arange(10) + 0.4, -np.arange(tens) - 0.5)
    places = np.column_stack([x.ravel(), y.ravel()])
    room = _width(ax) / len(data) - 14
    for n, (name, point, whole, low, high) in enumerate(data.itertuples(index=False)):
        group = ax.inset_axes([n / len(data), 0, 1 / len(data), 1])
        for row in np.unique(places[low:high, 1]):
            across = places[low:high, 0][places[low:high, 1] == row]
            group.fill_between([across.min() - 0.4, across.max() + 0.4], row - 0.5, row + 0.5, color=BAND, linewidth=0)
        _people(group, places[:point], facecolors=INK, edgecolors=INK)
        _people(group, places[point:whole], facecolors="none", edgecolors=QUIET)
        lines = [(f"({low} to {high})", SMALL, QUIET)] if low < high else []
        lines += [(f"{point} of {whole}", 15 if room > 90 else 12, INK)]
        lines += [(line, SMALL + 1, INK) for line in reversed(_name_lines(name, _width(ax) / 72 / len(data)))]
        up = 4.0
        for text, size, ink in lines:
            weight = "bold" if size > 11 else "normal"
            group.annotate(text, (0, 0), (0, up), textcoords="offset points", fontsize=size, color=ink, weight=weight)
            up += 1.3 * size
        group.set(xlim=(-0.05, 8.55), ylim=(-tens - 0.05, 0.05), aspect="equal", anchor="NW")
        group.set_axis_off()
    first, down = ax.child_axes[0], -6.0
    for text, marker, ink in [(outcome, _PERSON, INK), (interval, "s", BAND)][: 2 if interval else 1]:
        lines = textwrap.wrap(text, int(_width(ax) / _LETTER) - 4)
        beneath = offset_copy(first.transData, ax.figure, 5, down - SMALL / 2, "points")
        first.plot(
            [0], [-tens], linestyle="", marker=marker, markersize=11, color=ink, transform=beneath, clip_on=False
        )
        first.annotate(
            "\n".join(lines), (0, -tens), (16, down), textcoords="offset points", fontsize=SMALL, color=QUIET, va="top"
        )
        down -= _LINE * len(lines) + 3
    ax.set_axis_off()


def _width(ax) -> float:
    """Points that a drawing is wide."""
    return 72 * ax.figure.get_figwidth()


def _labels(data: pd.DataFrame, inches: float) -> list[tuple[float, list[str]]]:
    """Where each event of a time line so wide lies across it, from 0 to 1, and its words, broken to the room beside it."""
    low, high = np.floor(data.year.min()) - 0.5, data.year.max() + 0.5
    across = (data.year - low) / (high - low)
    said = [
        row.what if row.role == "search" else f"{row.year:.0f}  {row.what}{ROLES[row.role]}"
        for row in data.itertuples()
    ]
    rooms = [(max(at, 1 - at) * 72 * inches - 24) / _LETTER for at in across]
    return [(at, textwrap.wrap(words, int(room))) for at, words, room in zip(across, said, rooms)]


def _timeline(ax, data: pd.DataFrame) -> None:
    low, high = np.floor(data.year.min()) - 0.5, data.year.max() + 0.5
    looks = {"source": ("o", REPORTED, REPORTED), "report": ("o", "none", REPORTED), "randomised": ("D", INK, INK),
             "other": ("o", QUIET, QUIET), "search": ("|", QUIET, QUIET)}  # fmt: skip
    labels = _labels(data, ax.figure.get_figwidth())
    taken = np.cumsum([0.0, *(len(lines) + _BETWEEN for _, lines in labels)])
    middle = (taken[1:] + taken[:-1]) / 2
    for source in data.index[data.role == "source"]:
        for report in data.index[data.role == "report"]:
            (x, y), (to_x, to_y) = (data.year[source], middle[source]), (data.year[report], middle[report])
            ax.plot([x, x, to_x], [y, to_y, to_y], color=REPORTED, linewidth=1)
    ax.plot([data.year.iloc[-1]] * 2, [middle[-1], taken[-1]], color=QUIET, linewidth=0.8)
    for y, (at, lines), row in zip(middle, labels, data.itertuples(index=False)):
        marker, face, edge = looks[row.role]
        ax.plot(row.year, y, marker, markersize=7, markerfacecolor=face, markeredgecolor=edge, clip_on=False)
        side = {"xytext": (-9, 0), "ha": "right"} if at > 0.5 else {"xytext": (9, 0), "ha": "left"}
        ax.annotate("\n".join(lines), (row.year, y), textcoords="offset points", va="center", fontsize=SMALL, color=edge,
                    weight="bold" if row.role == "source" else "normal", **side)  # fmt: skip
    ax.set(xlim=(low, high), ylim=(taken[-1], 0), yticks=[])
    ax.xaxis.get_major_locator().set_params(integer=True, nbins=6)
    ax.grid(False)  # its lines would strike out words, and each event says its year


def _survival(ax, data: pd.DataFrame, outcome: str, unit: str, at: Sequence[float]) -> None:
    survival_axes(ax, float(data.time.max()), outcome, unit, at)
    survival_steps(ax, data, at)


def survival_axes(ax, until: float, outcome: str, unit: str, at: Sequence[float] = ()) -> None:
    """The axes of survival curves: time from 0, and from 0 to 100%."""
    ax.set(xlim=(0, 1.02 * until), ylim=(0, 103), xlabel=unit, ylabel=f"{outcome} (%)", yticks=range(0, 101, 25))
    if len(at):
        ax.set_xticks(at, [f"{t:g}" for t in at])


_INKS = (RECOMPUTED, INK, QUIET)
_BANDS = ({"color": BAND}, {"color": RULE, "alpha": 0.6}, {"color": "none"})
_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.5)))


def survival_steps(ax, data: pd.DataFrame, at: Sequence[float] = ()) -> None:
    """The curves themselves (rows as of ``survival_rows``), with bands, censorings, names, and beneath the number at risk."""
    until, down = ax.get_xlim()[1] / 1.02, -44.0
    groups = list(data.groupby("group", sort=False))
    if len(groups) > len(_INKS):
        raise ValueError(f"{len(groups)} survival curves: at most {len(_INKS)} can be told apart over one another")
    at = at if len(at) else [t for t in ax.get_xticks() if 0 <= t <= until]
    ends = sorted((part.survival.iloc[-1], n) for n, (_, part) in enumerate(groups))
    for n, (name, part) in enumerate(groups):
        ax.fill_between(part.time, part.low, part.high, step="post", linewidth=0, **_BANDS[n])
    for n, (name, part) in enumerate(groups):
        ink = _INKS[n]
        ax.plot(part.time, part.survival, drawstyle="steps-post", color=ink, linestyle=_DASHES[n])
        lost = part[part.censored > 0]
        ax.plot(lost.time, lost.survival, "|", color=ink, markersize=8, clip_on=False)
        up = 7 if len(groups) == 1 or ends[-1][1] == n else -15 if ends[0][1] == n else 3
        ax.annotate(
            name,
            (part.time.iloc[-1], part.survival.iloc[-1]),
            (-3, up),
            textcoords="offset points",
            ha="right",
            color=ink,
            fontsize=SMALL,
        )
        heading = "Number at risk" + (f", {name}" if len(groups) > 1 else "")
        ax.annotate(
            heading,
            (0, 0),
            (0, down),
            textcoords="offset points",
            xycoords=("axes fraction", "axes fraction"),
            fontsize=SMALL,
            color=QUIET,
        )
        for t in at:
            left = part[part.time >= t]["at risk"]
            ax.annotate(f"{left.iloc[0] if len(left) else 0}", (t, 0), (0, down - _LINE), textcoords="offset points",
                        xycoords=("data", "axes fraction"), ha="center", fontsize=SMALL, color=ink)  # fmt: skip
        down -= 2.1 * _LINE


def _forest(ax, data: pd.DataFrame, quantity: str, unit: str, no_effect: float | None, log: bool) -> None:
    wide, places = _width(ax) > 400, 2 if log else 0
    texts = [_in_text(r.value, r.low, r.high, places, "" if wide else unit) for r in data.itertuples()]
    head = f"{unit or quantity} (95% CI)"
    column = {side: _LETTER * max(map(len, ["", *words])) + 10 for side, words in
              (("study", [*data.study, *data.group] if wide else []), ("n", data.n), ("text", [*texts, head]))}  # fmt: skip

    def write(y, words, at, dx, **look):
        ax.annotate(words, (at, y), (dx, 0), xycoords=("axes fraction", "data"), textcoords="offset points", va="center",
                    fontsize=SMALL, annotation_clip=False, **look)  # fmt: skip

    has_n = any(data.n)
    right = (10 + (column["n"] if has_n else 0) + column["text"]) if wide else 0
    y, group, at = 0.0 if wide else -0.9, "", []
    if wide:
        write(y, "n" * has_n, 1, 10 + column["n"], ha="right", color=QUIET)
        write(y, head, 1, right, ha="right", color=QUIET)
    pooled = data[data["mark"] == "pooled"].value
    for value in pooled if wide else ():  # on a phone it would strike out words
        ax.axvline(value, color=RECOMPUTED, linewidth=0.8, linestyle=(0, (2, 2)))
    for row, text in zip(data.itertuples(index=False), texts):
        if row.group != group:
            y, group = y + 1.15, row.group
            write(y, group, 0, -column["study"] if wide else 0, color=QUIET)
        y += 1 if wide else 1.7
        ink = {"source": REPORTED, "recomputed": RECOMPUTED, "pooled": RECOMPUTED, "prediction": RECOMPUTED}.get(
            row.mark, INK
        )
        weight = "bold" if row.mark in (*_OWN, "pooled") else "normal"
        line = y if wide else y - 0.75
        write(line, row.study, 0, -column["study"] if wide else 0, ha="left", color=ink, weight=weight)
        if has_n and wide:
            write(line, row.n, 1, 10 + column["n"], ha="right", color=ink)
        write(
            line,
            text if wide else f"n = {row.n}: {text}" if row.n else text,
            1,
            right,
            ha="right",
            color=ink,
            weight=weight,
        )
        at.append(y)
        if row.mark == "pooled":
            ax.fill([row.low, row.value, row.high, row.value], [y, y - 0.3, y, y + 0.3], color=ink, linewidth=0)
        elif row.low == row.low:
            ax.plot([row.low, row.high], [y, y], color=ink, linewidth=1.4)
        if row.mark not in ("pooled", "prediction"):
            ax.plot(row.value, y, "o" if row.mark in _OWN else "s", markersize=6, color=ink, clip_on=False,
                    markerfacecolor="none" if row.mark == "observed" else ink)  # fmt: skip
        y += 0.5 if row.mark in _OWN else 0
    if no_effect is not None and wide:
        ax.axvline(no_effect, color=QUIET, linewidth=0.8)
    elif no_effect is not None:  # between the lines of words
        ax.vlines([no_effect] * len(at), [y - 0.4 for y in at], [y + 0.4 for y in at], color=QUIET, linewidth=0.8)
    ax.set(
        ylim=(y + 0.7, -0.6),
        yticks=[],
        xlabel=quantity + (f" ({unit})" if unit else ""),
        xscale="log" if log else "linear",
    )
    if log:
        low, high = ax.get_xlim()
        shown = [x for x in _RATIOS if low <= x <= high]
        shown += [1.5 * x for x in shown[-1:] if 1.5 * x <= high]  # for what runs further
        ax.set_xticks(shown, [f"{x:g}" for x in shown])
        ax.minorticks_off()
    elif unit == "%":
        ax.set_xlim(0, 100)
    ax.grid(wide, axis="x")
    ax.grid(False, axis="y")


_OWN = "source", "recomputed"  # the marks of the source itself
_RATIOS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)


def _key(data: pd.DataFrame, inches: float) -> list[list[tuple[str, dict]]]:
    """The lines of a key to the states and marks of a swimmer plot so wide: each word with its sign."""
    signs = [
        (state, {"marker": "s", "markersize": 9, "color": _PARTS[n]}) for n, state in enumerate(_states(data)) if state
    ]
    signs += [(mark, MARKS[mark]) for mark in MARKS if (data["mark"] == mark).any()]
    lines, room = [[]], 0.0
    for word, sign in signs:
        wide = _LETTER * len(word) + 28
        if lines[-1] and room + wide > 72 * inches - 40:
            lines, room = [*lines, []], 0.0
        lines[-1].append((word, sign))
        room += wide
    return lines


def _states(data: pd.DataFrame) -> list[str]:
    return list(data.state.unique())


_PARTS = (BAND, RULE, QUIET)


def _swimmer(ax, data: pd.DataFrame, unit: str, at: Sequence[float]) -> None:
    states, y, names, last = _states(data), -1.0, {}, None
    for (group, patient), parts in data.groupby(["group", "patient"], sort=False):
        y += 1
        if group != last and group:
            y += 0.2 if last is None else 0.7
            ax.annotate(group, (0, y), (0, 0), xycoords=("axes fraction", "data"), textcoords="offset points", va="center",
                        fontsize=SMALL, color=QUIET)  # fmt: skip
            y += 1
        last, names[y] = group, patient
        for part in parts.itertuples():
            ax.barh(y, part.end - part.start, 0.62, part.start, color=_PARTS[states.index(part.state)])
            if part.mark:
                look = {"markersize": 7, "linestyle": "", "clip_on": False} | MARKS[part.mark]
                ax.plot([part.end], [y], zorder=4, **look)
    ax.set_yticks(list(names), list(names.values()), fontsize=SMALL)
    ax.set(ylim=(y + 0.6, -0.6), xlim=(0, 1.02 * data.end.max()), xlabel=unit)
    if len(at):
        ax.set_xticks(at, [f"{t:g}" for t in at])
    ax.grid(axis="x")
    ax.grid(False, axis="y")
    down = -44.0
    for line in _key(data, ax.figure.get_figwidth()):
        across = 0.0
        for word, sign in line:
            beneath = offset_copy(ax.transAxes, ax.figure, across + 5, down + SMALL / 3, "points")
            ax.plot([0], [0], **{"markersize": 7, "linestyle": ""} | sign, transform=beneath, clip_on=False)
            ax.annotate(word, (0, 0), (across + 14, down), xycoords="axes fraction", textcoords="offset points",
                        fontsize=SMALL, color=QUIET)  # fmt: skip
            across += _LETTER * len(word) + 28
        down -= _LINE


DRAWN = {"icons": _icons, "timeline": _timeline, "survival": _survival, "forest": _forest, "swimmer": _swimmer}
"""How each kind of picture is drawn from its data, on axes that may be wide or narrow."""
