"""How a figure looks: one style, two widths, inks that the page can change for a dark ground.

A chapter draws on axes; ``figure`` renders the drawing twice (a page and a phone wide) as SVG whose text stays text,
with coordinates rounded so that the same drawing gives the same bytes on another machine. What it displays reads in
any viewer of notebooks; the site takes both drawings out of it again.
"""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import product

import matplotlib
import pandas as pd
from IPython.display import display

matplotlib.use("agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend comes first)

from lib import FIGURE, canonical  # noqa: E402
from lib.words import counted  # noqa: E402

INK, QUIET, RULE = "#1f2730", "#586270", "#d9d5cb"
REPORTED, RECOMPUTED = "#1d5c91", "#b0401c"
BAND = "#f0d9cd"
VERDICT = {
    "reproduced": "#2c6a3c",
    "compatible": "#6a5a00",
    "discrepant": "#9a4a00",
    "does-not-follow": "#9a1b33",
    "not-checkable": "#586271",
    "restated": "#8a919b",
}
VERDICT |= {"follows": VERDICT["reproduced"], "overstated": VERDICT["discrepant"]}
"""Inks. The page maps each of these values to a variable of its own, so those that mean different things must differ."""

STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "interferon-recomputed",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "ytick.major.size": 0,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "lines.linewidth": 2,
    "legend.frameon": False,
}
WIDE, NARROW = 7.0, 3.6  # inches at 100 px an inch: the measure of the page, the measure of a phone


_FILE = re.compile(r"\S+\.(?:svg|png|jpe?g|gif)")
"""The name of a file, which tells nobody what is seen."""
MOST_CHOICES, MOST_OPTIONS, SCALE = 3, 8, 6
"""A stepper's choices and the options of each: the style sheet has rules for so many. From ``SCALE`` options on they
stand along a scale.
"""


def figure(
    draw: Callable,
    title: str,
    data: pd.DataFrame,
    label: str,
    caption: str,
    alt: str,
    note: str = "",
    panels: int = 1,
    height: float = 4.0,
    narrow_height: float | None = None,
    picture: tuple[str, Mapping] | None = None,
) -> None:
    """Show what ``draw`` draws: a wide and a narrow SVG, the finding as title, the drawn figures as data.

    ``draw`` takes one axes, or a list of ``panels`` of them (side by side when wide, stacked when narrow). ``title``
    states the finding and is computed; ``data`` holds what is drawn, for the reader's download and the section's hash.
    ``label`` is the permanent address (``fig-…``), ``caption`` says what is drawn, ``alt`` what is seen in it, for
    those who do not see it. ``height`` in inches; on a phone each panel has ``narrow_height`` (by default the same).
    ``picture``: the kind of ``lib.pictures`` that it is, and what that draws it from beside ``data``.

    Raises
    ------
    ValueError
        The label is no address, or the caption or the alternative text says nothing.
    """
    entry = {"label": label, "title": title, "caption": caption, "alt": alt, "note": note}
    if picture:
        entry |= {"kind": picture[0], "how": dict(picture[1])}
    _show(draw, panels, height, narrow_height, entry, data)


def stepper(
    frame: Callable, draw: Callable, tell: Callable, choices: Mapping[str, Sequence[str]], first: Sequence[str],
    title: str, data: pd.DataFrame, label: str, caption: str, alt: str,
    note: str = "", height: float = 4.0, narrow_height: float | None = None,
) -> None:  # fmt: skip
    """Show a picture for every combination of ``choices``, which a reader of the page steps through without a script.

    ``choices`` names one to three things that vary, each with two to eight options · ``frame(ax)`` draws what all
    pictures share and settles the limits of both axes; ``draw(ax, *options)`` adds what is one picture's own ·
    ``tell(*options)`` gives the picture's finding, computed, and what is seen in it, for those who do not see it ·
    ``first``: the options of the picture that stands on paper, and wherever the style sheet is not obeyed · the others
    as for ``figure``; ``data`` holds what all pictures draw.

    Raises
    ------
    ValueError
        Too many or too few choices or options, ``first`` is no picture, or two pictures are told alike; and as for
        ``figure``.
    """
    pictures = list(product(*choices.values()))
    sizes = [len(options) for options in choices.values()]
    if not 1 <= len(sizes) <= MOST_CHOICES or not all(2 <= n <= MOST_OPTIONS for n in sizes):
        raise ValueError(
            f"a stepper has one to {MOST_CHOICES} choices of two to {MOST_OPTIONS} options each, not {sizes}"
        )
    if tuple(first) not in pictures:
        raise ValueError(
            f"the first picture {tuple(first)} is none of the {len(pictures)}: name an option of each choice"
        )
    told = [tell(*picture) for picture in pictures]
    for what, words in zip(("finding", "description"), zip(*told)):
        if len(set(words)) < len(pictures) or not all(words):
            raise ValueError(f"every picture has a {what} of its own: let tell() name its options in both")

    def layers(ax):
        frame(ax)
        for options, name in zip(pictures, picture_names(sizes)):
            layer = ax.inset_axes([0, 0, 1, 1], zorder=10, gid="state " + name)
            layer.set(xscale=ax.get_xscale(), yscale=ax.get_yscale(), xlim=ax.get_xlim(), ylim=ax.get_ylim())
            layer.set_axis_off()
            layer.xaxis.set_visible(False), layer.yaxis.set_visible(False)  # or ticks that nobody sees are laid out
            draw(layer, *options)

    entry = {
        "label": label, "title": title, "caption": caption, "alt": alt, "note": note,
        "choices": [[what, *options] for what, options in choices.items()],
        "first": pictures.index(tuple(first)), "told": [list(t) for t in told],
    }  # fmt: skip
    _show(layers, 1, height, narrow_height, entry, data)


def picture_names(sizes: Sequence[int]) -> list[str]:
    """A name for each picture of a stepper, in their order: ``a0 b2`` is option 0 of choice a and option 2 of choice
    b.
    """
    return [" ".join(f"{'abc'[i]}{n}" for i, n in enumerate(picture)) for picture in product(*map(range, sizes))]


def _show(
    draw: Callable, panels: int, height: float, narrow_height: float | None, entry: dict, data: pd.DataFrame
) -> None:
    """Render both widths and emit them with their ``entry`` as one output."""
    label = entry["label"]
    if not re.fullmatch(r"fig-[a-z0-9-]+", label):
        raise ValueError(f"{label!r}: a figure's label is fig- and lower-case words joined by hyphens")
    if not entry["caption"].strip() or not entry["alt"].strip() or _FILE.fullmatch(entry["alt"].strip()):
        raise ValueError(f"{label}: say in caption what is drawn, and in alt what is seen in it")
    with plt.rc_context(STYLE):
        wide = _render(draw, panels, (WIDE, height), stacked=False)
        narrow = _render(draw, panels, (NARROW, (narrow_height or height) * panels), stacked=True)
    if "choices" in entry:
        wide, narrow = (_one_shown(svg, entry["first"]) for svg in (wide, narrow))
    rows = [[_six_digits(v) for v in row] for row in data.itertuples(index=False)]
    entry |= {"columns": [str(c) for c in data.columns], "rows": rows, "narrow": narrow}
    display({FIGURE: canonical(entry), "text/html": _page(entry, wide), "text/plain": entry["title"]}, raw=True)


def _page(entry: dict, svg: str) -> str:
    """A figure as HTML that no viewer of notebooks cleans away: the drawing is an image, on a ground of its own."""
    drawing = base64.b64encode(svg.replace("<svg ", '<svg style="background:#fff" ', 1).encode()).decode()
    e, told = html.escape, ""
    if "choices" in entry:
        finding, _ = entry["told"][entry["first"]]
        told = f"<p>{e(finding)} (One of {counted(len(entry['told']))} pictures.)</p>"
    below = "<br>".join(e(text) for text in (entry["caption"], entry["note"]) if text)
    return (
        f'<figure><p><b>{e(entry["title"])}</b></p>{told}<img alt="{e(entry["alt"])}" '
        f'src="data:image/svg+xml;base64,{drawing}"><figcaption>{below}</figcaption></figure>'
    )


def drawing(page: str) -> str:
    """The wide drawing, as SVG, in the HTML that ``figure`` displays."""
    return base64.b64decode(re.search(r'base64,([^"]+)"', page)[1]).decode()


def _one_shown(svg: str, first: int) -> str:
    """Hide every picture of a stepper but one, by attributes that a style sheet overrules."""
    order = iter(range(svg.count('<g class="state ')))
    return re.sub(
        r'<g class="state [^"]*"', lambda m: m[0] + ("" if next(order) == first else ' visibility="hidden"'), svg
    )


def _render(draw: Callable, panels: int, size: tuple[float, float], stacked: bool) -> str:
    grid = (panels, 1) if stacked else (1, panels)
    fig, axes = plt.subplots(*grid, figsize=size, layout="constrained", squeeze=False)
    if panels > 1 and stacked:
        fig.get_layout_engine().set(hspace=0.06)  # keeps the foot of one panel from the head of the next
    flat = list(axes.flat)
    draw(flat[0] if panels == 1 else flat)
    for ax in flat:
        _level(ax)
    out = io.StringIO()
    fig.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    plt.close(fig)
    return tidy(out.getvalue())


def _level(ax) -> None:
    """Put what the vertical axis measures above it, where it reads without tilting the head."""
    label = ax.get_ylabel()
    if label and not (ax.get_title() or ax.get_title(loc="left")):
        ax.set_ylabel("")
        ax.set_title(label, loc="left", fontsize=10, color=INK)


def tidy(svg: str) -> str:
    """An SVG without prologue, metadata and whatever shows nothing, its coordinates rounded to a tenth of a pixel."""
    svg = svg[svg.index("<svg") :].replace("xlink:href=", "href=")
    svg = svg.replace('<g id="state ', '<g class="state ')  # a picture of a stepper; its name stands in either width
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # Ids are hashes of unrounded paths: name them by order instead, or they differ in the last bit between machines.
    names: dict[str, str] = {}
    for name in re.findall(r'\bid="([^"]+)"', svg):
        names.setdefault(name, f"g{len(names)}")
    svg = re.sub(r'\bid="([^"]+)"', lambda m: f'id="{names[m[1]]}"', svg)
    svg = re.sub(r'(url\(|href=")#([^")]+)', lambda m: f"{m[1]}#{names.get(m[2], m[2])}", svg)
    # Only within tags: a tick label of 0.006 is text, not a coordinate. The sign of nought differs between machines.
    svg = re.sub(r"<[^>]+>", lambda tag: re.sub(r"-?\d+\.\d{2,}|(?<![\w.])-0(?![\w.])", _tenth, tag[0]), svg)
    svg = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", svg)
    svg = re.sub(r'<g id="\w+">\s*<path d="[^"]*" style="fill: none"/>\s*</g>', "", svg)  # grounds without a colour
    referred = set(re.findall(r'(?:url\(|href=")#(\w+)', svg))
    svg = re.sub(r' id="(\w+)"', lambda m: m[0] if m[1] in referred else "", svg)
    svg = re.sub(r"<defs>\s*</defs>|<g>\s*</g>|<g/>", "", svg)
    return re.sub(r">\s+<", "><", re.sub(r"[ \n]+", " ", svg)).strip()


def _tenth(match: re.Match) -> str:
    return f"{round(float(match[0]), 1) + 0.0:g}"


def _six_digits(value):
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, bool):
        return value
    x = float(value)
    return None if x != x else float(f"{x:.6g}")
