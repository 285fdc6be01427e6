"""The image that stands beside a link to a page: its answer as a picture, drawn from the page's own data.

Who shows links asks for whole addresses, so the image and the tags that name it are made only where the site's is known.
"""

from __future__ import annotations

import html
import io
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from lib.figures import INK, QUIET, RECOMPUTED, STYLE
from lib.house import executed
from lib.pictures import DRAWN

SIZE, DOTS = (6.0, 3.15), 200  # inches, and dots an inch: 1200 by 630
PAPER, LETTER = "#fffdf8", 0.62  # of the font's size that a letter takes, on average
ROWS = 8  # of a list that can be read in an image so low


def answer(notebook: dict) -> dict | None:
    """The figure that answers a chapter: the first in the section marked as the short version, else the first of all."""
    inside, level, every, short = False, 0, [], []
    for piece in executed.pieces(notebook):
        if piece.heading:
            inside = inside and piece.heading.level > level
        if any(t.type == "fence" and t.info.startswith("{short-version}") for t in piece.tokens):
            inside, level = True, piece.heading.level if piece.heading else 1
        figures = [o.entry for o in piece.outputs if o.kind == "figure"]
        every += figures
        short += figures if inside else []
    return next(iter(short + every), None)


def drawn(entry: dict | None) -> pd.DataFrame | None:
    """What an image shows of a figure: its data, of a long list those rows alone that are marked; None if it draws none."""
    if not entry or entry.get("kind") not in DRAWN:
        return None
    data = pd.DataFrame(entry["rows"], columns=entry["columns"])
    if entry["kind"] == "forest" and len(data) + data.group.nunique() > ROWS:
        data = data[data["mark"] != ""].assign(group="").reset_index(drop=True)
    return data if entry["kind"] in ("icons", "survival") or len(data) <= ROWS else None


def card(book: str, page: str, question: str, entry: dict | None) -> bytes:
    """An image as PNG: the figure under its title and that of the page, or the page's title and question; the book's name."""
    data = drawn(entry)
    with plt.rc_context(STYLE):
        fig = plt.figure(figsize=SIZE, dpi=DOTS, facecolor=PAPER)
        fig.text(0.05, 0.045, book, fontsize=9, color=RECOMPUTED, weight="bold")
        if data is None:
            _write(fig, 0.86, page, 19, INK, weight="bold")
            _write(fig, 0.42, question, 11, QUIET)
        else:
            fig.text(0.95, 0.045, page, fontsize=8, color=QUIET, ha="right")
            below = _write(fig, 0.94, entry["title"], 13, INK, weight="bold")
            fig.set_layout_engine("constrained", rect=(0.04, 0.12, 0.92, below - 0.15))
            ax = fig.subplots()
            DRAWN[entry["kind"]](ax, data, **entry["how"])
            if ax.get_ylabel():
                ax.set_title(ax.get_ylabel(), loc="left", fontsize=9)
                ax.set_ylabel("")
        out = io.BytesIO()
        fig.savefig(out, format="png", facecolor=PAPER, metadata={"Software": None})
        plt.close(fig)
    return out.getvalue()


def _write(fig, top: float, text: str, size: float, ink: str, **look) -> float:
    """Words across the image, at most three lines; where they end."""
    across, line = int(0.9 * 72 * SIZE[0] / (LETTER * size)), 1.3 * size / (72 * SIZE[1])
    lines = textwrap.wrap(text, across, max_lines=3, placeholder=" …")
    fig.text(0.05, top, "\n".join(lines), fontsize=size, color=ink, va="top", linespacing=1.25, **look)
    return top - line * len(lines)


def page_context(app, pagename, template, context, doctree):
    if not app.config.site_url or pagename not in app.env.all_docs:
        return
    source, title = Path(app.env.doc2path(pagename)), app.env.titles[pagename].astext()
    entry = answer(executed.read(source)) if source.suffix == ".ipynb" else None
    question = context.get("description", "")
    image = Path("cards", f"{pagename.replace('/', '-')}.png")
    (app.outdir / image.parent).mkdir(exist_ok=True)
    (app.outdir / image).write_bytes(card(app.config.project, title, question, entry))
    said = entry["alt"] if drawn(entry) is not None else f"{title}. {question}"
    tags = {"og:description": question, "og:image": f"{app.config.site_url.rstrip('/')}/{image.as_posix()}",
            "og:image:alt": said}  # fmt: skip
    lines = [f'<meta property="{name}" content="{html.escape(words)}">' for name, words in tags.items() if words]
    context["metatags"] = "\n".join(
        [context.get("metatags", ""), *lines, '<meta name="twitter:card" content="summary_large_image">']
    )


def setup(app):
    app.connect("html-page-context", page_context, priority=950)  # after the page's description is found
