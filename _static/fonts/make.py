"""Make the book's faces anew, byte for byte: ``python _static/fonts/make.py FOLDER``.

FOLDER holds what ``npm pack source-serif@4.5.1 source-sans@3.52.0`` fetches: Adobe's own packages of both families.
Each face is cut down to the characters below, with kerning and, for tables, figures of one width; hints go. The licence
reserves the name of the originals, so the cut ones are called Recomputed.
"""

import hashlib
import sys
import tarfile
from io import BytesIO
from pathlib import Path

from fontTools import subset

PACKAGES = {
    "serif": ("source-serif-4.5.1.tgz", "19a448df98f4aa777de3452b0a1e29aa7ffe29252fe552c8a2d2531702d80746"),
    "sans": ("source-sans-3.52.0.tgz", "49cf78ddd79b436591ee696785222b54ff28102922e3d3df297fe382d7fdfa88"),
}
# The semibold serif is the cut for subheadings: it is there for headings, and for a bold word in 14 points at most.
FACES = {
    "serif-regular": ("TTF/SourceSerif4-Regular.ttf", "Recomputed Serif", "Regular"),
    "serif-italic": ("TTF/SourceSerif4-It.ttf", "Recomputed Serif", "Italic"),
    "serif-semibold": ("TTF/SourceSerif4Subhead-Semibold.ttf", "Recomputed Serif", "SemiBold"),
    "sans-regular": ("TTF/SourceSans3-Regular.ttf", "Recomputed Sans", "Regular"),
    "sans-semibold": ("TTF/SourceSans3-Semibold.ttf", "Recomputed Sans", "SemiBold"),
}
LATIN = "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x100)]))
NAMES = "ćčďęěğłńňőřśşšůűźżžČŁŚŠŽ"  # letters of authors' names beyond Latin-1
GREEK = "ΔΣαβγδθλμσχ"
MARKS = "\u2009\u202f‑–—‘’‚“”„†‡•…‰‹›™€−≈≠≤≥⁰⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉"
SANS = "⁺⁻←↑→↓↕▲●○"  # where the serif has none, book.css takes them from the sans
CHARACTERS = {"serif": LATIN + NAMES + GREEK + MARKS, "sans": LATIN + NAMES + GREEK + MARKS + SANS}


def package(kind: str, folder: Path) -> tarfile.TarFile:
    """The package of a family, if it is the one the faces were made from."""
    name, wanted = PACKAGES[kind]
    found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    if found != wanted:
        sys.exit(f"{folder / name} is not the file the faces were made from: its SHA-256 is {found}")
    return tarfile.open(folder / name)


def cut(name: str, folder: Path) -> None:
    """Write one face beside this file."""
    kind = name.partition("-")[0]
    inner, family, style = FACES[name]
    options = subset.Options(
        flavor="woff2", hinting=False, glyph_names=False, name_IDs=[0, 1, 2, 3, 4, 6, 13, 14], notdef_outline=True,
        layout_features=["kern", "ccmp", "tnum"] if kind == "sans" else ["kern", "ccmp"],
    )  # fmt: skip
    options.drop_tables += ["BASE", "DSIG", "STAT", "meta"]
    with package(kind, folder) as files:
        font = subset.load_font(BytesIO(files.extractfile(f"package/{inner}").read()), options)
    cutter = subset.Subsetter(options)
    cutter.populate(text=CHARACTERS[kind])
    cutter.subset(font)
    if lacking := set(CHARACTERS[kind]) - set(map(chr, font.getBestCmap())):
        print(f"{name} lacks {''.join(sorted(lacking))}")
    new = {1: family, 2: style, 3: f"{family} {style}", 4: f"{family} {style}", 6: f"{family}-{style}".replace(" ", "")}
    for number, words in new.items():
        font["name"].setName(words, number, 3, 1, 0x409)
    out = Path(__file__).with_name(f"{name}.woff2")
    subset.save_font(font, str(out), options)
    print(f"{out.name}: {out.stat().st_size:,} bytes, {len(font.getGlyphOrder())} glyphs")


if __name__ == "__main__":
    for face in FACES:
        cut(face, Path(sys.argv[1]))
