// What the pages do when scripts run; every page is complete without. Classic script, loaded in the head before the page shows.
(function () {
  "use strict";
  var root = document.documentElement;
  root.classList.add("script");

  function stored(key, value) {  // a reader may forbid storage: then nothing is remembered
    try {
      if (value === undefined) return localStorage.getItem(key);
      localStorage.setItem(key, value);
    } catch (error) { return null; }
  }

  var theme = stored("theme");
  if (theme === "dark" || theme === "light") root.dataset.theme = theme;

  function each(selector, act, within) {
    Array.prototype.forEach.call((within || document).querySelectorAll(selector), act);
  }

  function themes() {
    var button = document.querySelector("button.theme");
    var system = matchMedia("(prefers-color-scheme: dark)");
    function dark() { return root.dataset.theme ? root.dataset.theme === "dark" : system.matches; }
    function say() {
      button.textContent = dark() ? "Light" : "Dark";
      button.setAttribute("aria-label", dark() ? "Light theme" : "Dark theme");
    }
    button.removeAttribute("aria-pressed");
    button.addEventListener("click", function () {
      root.dataset.theme = dark() ? "light" : "dark";
      stored("theme", root.dataset.theme);
      say();
    });
    system.addEventListener("change", say);
    say();
  }

  function menu() {
    var button = document.querySelector("button.menu"), side = document.querySelector(".side");
    function set(open) {
      side.classList.toggle("open", open);
      button.setAttribute("aria-expanded", open);
    }
    button.addEventListener("click", function () { set(!side.classList.contains("open")); });
    side.addEventListener("keydown", function (event) {
      if (event.key === "Escape" && side.classList.contains("open")) { set(false); button.focus(); }
    });
    each("#contents a", function (a) { a.addEventListener("click", function () { set(false); }); });
  }

  // One switch folds or shows all code, and is remembered; a cell opened by hand stays the reader's own.
  function code() {
    var cells = document.querySelectorAll("details.code");
    if (!cells.length) return;
    var button = document.createElement("button");
    button.type = "button";
    button.className = "code-switch";
    var line = document.querySelector(".full-review"), first = cells[0].closest(".cell") || cells[0];
    if (line) line.append(button);
    else first.parentNode.insertBefore(button, first);
    function say() { button.textContent = stored("code") === "shown" ? "Fold all code" : "Show all code"; }
    function apply(open) { each("details.code", function (d) { d.open = open; }); }
    button.addEventListener("click", function () {
      var open = stored("code") !== "shown";
      stored("code", open ? "shown" : "folded");
      apply(open);
      say();
    });
    if (stored("code")) apply(stored("code") === "shown");
    say();
  }

  // A link to something folded, or beyond the short version, shows it.
  function unfold() {
    var id = decodeURIComponent(location.hash.slice(1));
    var target = id && document.getElementById(id);
    if (!target) return;
    for (var e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
    each(":scope > details.audit", function (d) { d.open = true; }, target);
    if (!target.offsetParent && layers.show) layers.show();
    target.scrollIntoView();
  }

  // The short version alone, or all of it: remembered, and the same for every chapter.
  function layers() {
    var line = document.querySelector(".full-review");
    if (!line) return;
    var button = document.createElement("button");
    button.type = "button";
    line.append(button);
    layers.show = function (brief) {
      root.classList.toggle("brief", Boolean(brief));
      button.textContent = brief ? "Show the full review" : "Show the short version only";
    };
    button.addEventListener("click", function () {
      var brief = !root.classList.contains("brief");
      stored("layer", brief ? "short" : "full");
      layers.show(brief);
    });
    layers.show(stored("layer") === "short");
  }

  // Boxes that scroll sideways are reached by keyboard and say that they scroll.
  function scrollers() {
    var beyond = new Map();  // measured before anything is changed: the page is laid out once
    each(".scroll, div.math", function (box) { beyond.set(box, box.scrollWidth - box.clientWidth); });
    beyond.forEach(function (over, box) {
      var wide = over > 8;  // a fraction of a letter is nothing to point out
      if (over > 0) {
        box.tabIndex = 0;
        if (box.classList.contains("scroll")) {
          var caption = box.parentNode.querySelector(".caption-text");
          box.setAttribute("role", "region");
          box.setAttribute("aria-label", caption ? caption.textContent : "Table");
        }
      } else box.removeAttribute("tabindex");
      if (!box.classList.contains("scroll")) return;
      box.classList.toggle("scrolls", wide);
      if (wide && !(box.nextElementSibling || {}).matches?.(".scroll-hint")) {
        var hint = document.createElement("p");
        hint.className = "scroll-hint";
        hint.textContent = "The table goes on to the right →";
        box.after(hint);
      }
    });
  }

  // Each work leads back to its mentions; written out for every one of them the way back would weigh too much.
  function mentions() {
    each(".references li", function (entry) {
      var back = document.createElement("span");
      back.className = "back";
      back.append("mentioned");
      each("[href='#" + entry.id + "']", function (link, n) {
        var a = document.createElement("a");
        link.id = entry.id + "-" + (n + 1);
        a.href = "#" + link.id;
        a.textContent = n + 1;
        back.append(" ", a);
      });
      entry.append(" ", back);
    });
  }

  // The tip of a mention is the entry of its work, but for the links.
  function cited(link) {
    var entry = document.getElementById(link.hash.slice(1)), tip = document.createElement("span");
    tip.className = "tip";
    tip.setAttribute("aria-hidden", "true");
    tip.textContent = " " + (Array.prototype.indexOf.call(entry.parentNode.children, entry) + 1) + ". " + entry.firstChild.textContent;
    return link.appendChild(tip);
  }

  // A tip stays within the window, goes away on Escape, and on a touch screen the first tap shows it.
  function tips() {
    function place(event) {
      var link = event.target.closest && event.target.closest(".tipped"), tip = link && (link.querySelector(".tip") || link.matches(".cited, .known") && cited(link));
      if (!tip) return;
      tip.classList.remove("away");
      var box = link.getBoundingClientRect(), wide = Math.min(320, .84 * root.clientWidth), over = box.left + wide > root.clientWidth;
      tip.classList.toggle("flip", over && box.right >= wide);
      tip.style.left = over && box.right < wide ? 8 - box.left + "px" : "";
    }
    document.addEventListener("pointerover", place);
    document.addEventListener("focusin", place);
    document.addEventListener("keydown", function (event) {
      if (event.key === "Escape") each(".tip", function (t) { t.classList.add("away"); });
    });
    var touched = null;
    document.addEventListener("click", function (event) {
      var link = event.target.closest && event.target.closest("a.tipped");
      if (link && event.pointerType === "touch" && touched !== link) event.preventDefault();
      touched = link;
    });
  }

  // The contents mark the section being read and how far it is; on a phone the bar says so, and leads back to the answer.
  function whereNow() {
    var links = {}, shown = null, masthead = document.querySelector(".masthead"), article = document.querySelector("article");
    each("#contents li li a", function (a) { if (a.hash) links[decodeURIComponent(a.hash.slice(1))] = a; });
    var sections = Array.prototype.filter.call(document.querySelectorAll("article section[id]"), function (s) { return links[s.id]; });
    if (!sections.length) return;
    var where = document.createElement("div"), section = document.createElement("button"), up = document.createElement("a");
    where.className = "where";
    section.className = "section";
    section.type = "button";
    section.addEventListener("click", function () {
      document.querySelector("button.menu").click();
      if (shown) shown.scrollIntoView({ block: "center" });
    });
    up.className = "up";
    up.href = "#" + (document.querySelector(".short-version") || sections[0]).id;
    up.textContent = document.querySelector(".short-version") ? "Answer ↑" : "Top ↑";
    where.append(section, up);
    masthead.prepend(where);
    function mark() {
      var at = null, box = article.getBoundingClientRect();
      sections.forEach(function (s) { if (s.offsetParent && s.getBoundingClientRect().top < innerHeight / 3) at = links[s.id]; });
      root.style.setProperty("--read", Math.max(0, Math.min(100, 100 * (innerHeight / 3 - box.top) / (box.height - innerHeight * 2 / 3))).toFixed(1) + "%");
      masthead.classList.toggle("reading", box.top < -200);
      if (at === shown) return;
      if (shown) { shown.classList.remove("now"); shown.removeAttribute("aria-current"); }
      if (at) { at.classList.add("now"); at.setAttribute("aria-current", "true"); }
      if (at) at.scrollIntoView({ block: "nearest" });  // within the contents, which scroll by themselves
      section.textContent = at ? at.textContent : "";
      section.setAttribute("aria-label", "Contents; now reading: " + section.textContent);
      shown = at;
    }
    addEventListener("scroll", mark, { passive: true });
    mark();
  }

  // On paper nothing but code is folded away.
  function printing() {
    var opened = [];
    addEventListener("beforeprint", function () {
      each(":is(details.plain, details.audit):not([open])", function (d) { d.open = true; opened.push(d); });
    });
    addEventListener("afterprint", function () {
      opened.forEach(function (d) { d.open = false; });
      opened = [];
    });
  }

  // The ledger: search, filters and order, kept in the address so that a view can be sent to somebody.
  function ledger() {
    var table = document.querySelector("table.ledger"), form = document.querySelector("form.ledger-tools");
    if (!table) return;
    var body = table.tBodies[0], rows = Array.prototype.slice.call(body.rows), count = form.querySelector(".ledger-count");
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells), verdicts = Array.prototype.map.call(form.verdict.options, function (o) { return o.value; });
    rows.forEach(function (row, n) { row.place = n; row.text = row.textContent.toLowerCase(); });

    function key(row, n) {
      if (heads[n].dataset.key === "verdict") return verdicts.indexOf(row.dataset.verdict);
      if (heads[n].dataset.key === "id") return row.place;
      var text = row.cells[n].textContent, number = parseFloat(text.replace(/[^0-9.]+/, "").replace(/,/g, ""));
      return n > 1 && n < 4 && !isNaN(number) ? number : text;
    }
    function sort(n, down) {
      heads.forEach(function (h, m) { if (m === n) h.setAttribute("aria-sort", down ? "descending" : "ascending"); else h.removeAttribute("aria-sort"); });
      rows.map(function (r) { return [key(r, n), r]; }).sort(function (a, b) {
        var order = typeof a[0] === typeof b[0] ? (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0) : typeof a[0] === "number" ? -1 : 1;
        return (down ? -order : order) || a[1].place - b[1].place;
      }).forEach(function (pair) { body.append(pair[1]); });
    }
    heads.forEach(function (head, n) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.textContent = "";
      head.append(button);
      button.addEventListener("click", function () { sort(n, head.getAttribute("aria-sort") === "ascending"); });
    });

    var names = ["q", "source", "verdict", "kind", "later"];
    function filter() {
      var words = form.q.value.toLowerCase().split(/\s+/), shown = 0;
      rows.forEach(function (row) {
        var fits = names.slice(1).every(function (k) { return !form[k].value || row.dataset[k] === form[k].value; });
        row.hidden = !(fits && words.every(function (w) { return row.text.indexOf(w) >= 0; }));
        if (!row.hidden) shown += 1;
      });
      count.textContent = shown + " of " + rows.length + " claims";
    }
    function write() {
      var parts = names.filter(function (k) { return form[k].value; }).map(function (k) { return k + "=" + encodeURIComponent(form[k].value); });
      history.replaceState(null, "", parts.length ? "#" + parts.join("&") : location.pathname + location.search);
    }
    function read() {
      location.hash.slice(1).split("&").forEach(function (part) {
        var at = part.indexOf("="), k = part.slice(0, at);
        if (names.indexOf(k) >= 0) form[k].value = decodeURIComponent(part.slice(at + 1));
      });
      filter();
    }
    form.addEventListener("input", function () { filter(); write(); });
    form.addEventListener("reset", function () { setTimeout(function () { filter(); write(); }); });
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    addEventListener("hashchange", read);
    read();
  }

  // The search names the kind of each hit; from a folder the browser forbids to fetch excerpts, so none are asked for.
  function search() {
    var results = document.getElementById("search-results");
    if (!results) return;
    var query = new URLSearchParams(location.search).get("q");
    if (query) each("input[name=q]", function (input) { input.value = query; });
    new MutationObserver(function () {
      each("li:not(.kinded)", function (li) {
        li.classList.add("kinded");
        if (li.querySelector(":scope > span")) return;
        var kind = document.createElement("span");
        kind.textContent = li.querySelector("a").hash ? " (section)" : " (page)";
        li.querySelector("a").after(kind);
      }, results);
    }).observe(results, { childList: true, subtree: true });
  }
  if (location.protocol === "file:") window.fetch = function () { return new Promise(function () {}); };

  document.addEventListener("DOMContentLoaded", function () {
    [themes, menu, code, layers, scrollers, tips, mentions, whereNow, ledger, search, printing].forEach(function (start) { start(); });
    unfold();
    addEventListener("hashchange", unfold);
    addEventListener("resize", scrollers);
  });
})();
