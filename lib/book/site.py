"""Make the theme's pages self-contained, lighter, valid and accessible. Every substitution may run twice."""

from __future__ import annotations

import re
from pathlib import Path



def config_inited(app, config):
    # The page theme puts a second search box in an empty header unless the user says otherwise.
    config.html_theme_options.setdefault("navbar_persistent", [])
    config.html_theme_options.setdefault("show_toc_level", 2)
    config.html_theme_options["logo"] = {"text": config.project}
    if not config.html_baseurl and config.site_url:
        config.html_baseurl = config.site_url


def page_context(app, pagename, template, context, doctree):
    def wanted(file) -> bool:
        text = f"{getattr(file, 'filename', '') or ''}{(getattr(file, 'attributes', None) or {}).get('body', '') or ''}"
        return not re.search("thebe", text, re.IGNORECASE)

    for key in ("script_files", "css_files"):
        context[key] = [f for f in context.get(key, []) if wanted(f)]


_MENDED = [
    (re.compile(pattern, re.DOTALL), new)
    for pattern, new in [
        (r'\s*<script defer src="[^"]*scripts/fontawesome\.js[^"]*"></script>', ""),
        (r'\s*<script type="text/x-thebe-config">.*?</script>\s*<script>kernelName = [^<]*</script>', ""),
        (r'(<button class="btn search-button-field[^>]*?) aria-label="Search"', r"\1"),
        (r'<summary aria-label="Toggle hidden content">', "<summary>"),
        (r'<div role="list" class="citation-list">', '<div class="citation-list">'),
        (r' role="doc-biblioentry"', ""),
        (r'(<label) aria-controls="[^"]*"( class="sd-tab-label")', r"\1\2"),
        (r'(<div id="pst-primary-sidebar" class="bd-sidebar-primary[^"]*")(?! role)', r'\1 role="region" aria-label="Book"'),
    ]
]
_UNUSED = ("_static/**/*.map", "_static/vendor/fontawesome/webfonts/*.ttf", "_static/scripts/fontawesome.js*", "_static/sphinx-thebe.*")


def finished(app, exception):
    if exception or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for page in out.rglob("*.html"):
        if "_static" in page.relative_to(out).parts:
            page.unlink()
            continue
        text = mended = page.read_text("utf-8")
        for pattern, new in _MENDED:
            mended = pattern.sub(new, mended)
        if mended != text:
            page.write_text(mended, "utf-8")
    for pattern in _UNUSED:
        for file in list(out.glob(pattern)):
            file.unlink()
    # Sphinx notes here what the build was made with; it differs between machines and no reader needs it.
    (out / ".buildinfo").unlink(missing_ok=True)


def setup(app):
    app.connect("config-inited", config_inited)
    app.connect("html-page-context", page_context, priority=900)
    app.connect("build-finished", finished, priority=950)
