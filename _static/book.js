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

  // The part that an address names; nothing for an address that was typed wrong.
  function named(hash) {
    try { return document.getElementById(decodeURIComponent(hash.slice(1))); } catch (error) { return null; }
  }

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
    var at = 0, contents = document.getElementById("contents");
    function set(open, back) {
      var was = side.classList.contains("open");
      if (open && !was) at = scrollY;
      side.classList.toggle("open", open);
      button.setAttribute("aria-expanded", open);
      button.textContent = open ? "Close" : "Contents";
      if (was && back) scrollTo(0, at);
      var now = open && contents.querySelector(".now");
      if (now) contents.scrollTop = now.offsetTop - contents.clientHeight / 2;
    }
    button.addEventListener("click", function () { set(!side.classList.contains("open"), true); });
    side.addEventListener("keydown", function (event) {
      if (event.key === "Escape" && side.classList.contains("open")) { set(false, true); button.focus({ preventScroll: true }); }
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
    var target = location.hash.length > 1 && named(location.hash);
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
      scrollers();
    });
    layers.show(stored("layer") === "short");
  }

  // Boxes that scroll sideways are reached by keyboard and say that they scroll; what is folded is measured once it shows.
  function scrollers(within) {
    var beyond = new Map();  // measured before anything is changed: the page is laid out once
    each(".scroll, div.math", function (box) { if (!box.checkVisibility || box.checkVisibility()) beyond.set(box, box.scrollWidth - box.clientWidth); }, within);
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

  // Notes: what a value, a claim, a work or a term is, beside its line where there is room, else in a sheet from the bottom
  // edge. The words stand on the page already: in the check of the claim, the entry of the work, the code that computes.
  function notes() {
    var main = document.querySelector("main"), note = make("div", "note"), close = make("button", "note-close", "×"), says = make("div", "note-says");
    var shown = null, hovered = false, quiet = false, timer;
    note.id = "note";
    note.hidden = true;
    note.tabIndex = -1;
    note.setAttribute("role", "dialog");
    close.type = "button";
    close.setAttribute("aria-label", "Close the note");
    says.id = "note-says";
    note.append(close, says);
    main.append(note);
    each("article .recomputed[data-of]", function (value) { value.tabIndex = 0; });

    function make(name, kind) {
      var e = document.createElement(name);
      e.className = kind;
      e.append.apply(e, Array.prototype.slice.call(arguments, 2));
      return e;
    }
    function copy(e) {  // without names and buttons, which a page has once
      var c = e.cloneNode(true);
      each("button, .check-id, .back", function (x) { x.remove(); }, c);
      each("[id]", function (x) { x.removeAttribute("id"); }, c);
      return c;
    }
    function markOf(e) {
      var mark = e.closest && e.closest(".tipped, .recomputed[data-of]");
      return mark && main.contains(mark) && !note.contains(mark) ? mark : null;
    }

    // Each returns the head of the note, what it says, and where its link leads.
    function claim(mark, id) {
      var item = document.getElementById(id), near = item && item.matches(".check-item") && !mark.dataset.note;
      var head = "Claim " + id.toUpperCase() + ", paragraph " + (near ? item : mark).dataset.par, body, works = new Set();
      if (near) {
        body = [copy(item.querySelector(".check"))];
        each(".cited", function (a) { works.add(document.getElementById(a.hash.slice(1))); }, item);
        var source = document.querySelector(".source-card .citation");
        if (source) body.push(make("p", "note-work", "Source: ", ...copy(source).childNodes));
        works.forEach(function (work) { body.push(make("p", "note-work", "[" + number(work) + "] ", ...copy(work).childNodes)); });
      } else body = [make("p", "", ...mark.dataset.verdicts.split(" ").map(lozenge)), make("p", "", mark.dataset.note)];
      return [head, body, "Go to the check", mark.href];
    }
    function lozenge(word) {
      var later = word.indexOf("later-") === 0;
      return make("span", "verdict " + (later ? "later " : "verdict-") + word, (later ? "later: " : "") + word.replace("later-", "").replace(/-/g, " "));
    }
    function number(work) { return Array.prototype.indexOf.call(work.parentNode.children, work) + 1; }
    function work(mark, id) {
      var entry = document.getElementById(id);
      return [(mark.matches(".known") ? "Reported by other work, reference " : "Reference ") + number(entry), [make("p", "", ...copy(entry).childNodes)], "Go to the reference", mark.href];
    }
    function term(mark) {
      var words = mark.dataset.note || mark.querySelector(".hidden").textContent.trim();
      return ["Term", [make("p", "", make("b", "", mark.firstChild.textContent), ": ", words)], "Go to the glossary", mark.href];
    }
    function computed(mark) {
      var parts = mark.dataset.of.split(":"), name = parts.pop().replace(/-/g, "_"), called = make("p", "", "Its name in the code: ", make("code", "", name));
      if (parts.length) return ["Recomputed in another chapter", [called], "Go to the chapter", root.dataset.content_root + "chapters/" + parts[0] + ".html"];
      var block = document.querySelector("details.code [data-step='" + mark.dataset.step + "']");
      if (!block) return ["Recomputed here", [called]];
      var fold = block.closest("details"), step = block.querySelector(".code-caption") || fold.firstElementChild;
      fold.id = fold.id || "code-" + mark.dataset.step;
      return ["Recomputed here", [make("p", "", "Where: ", ...copy(step).childNodes), called], "Go to the code", "#" + fold.id];
    }

    function fill(mark) {
      var id = mark.hash ? decodeURIComponent(mark.hash.slice(1)) : "";
      var told = mark.dataset.of ? computed(mark) : mark.matches(".abbr, .term") ? term(mark) : mark.matches(".cited, .known") ? work(mark, id) : claim(mark, id);
      says.replaceChildren(make("p", "eyebrow", told[0]), ...told[1]);
      note.setAttribute("aria-label", told[0]);
      if (!told[2]) return;
      var go = make("a", "note-go", told[2]);
      go.href = told[3];
      says.append(go);
    }

    function room() {  // in the margin, in rem, between a gap and the edge
      return (root.clientWidth - edge()) / parseFloat(getComputedStyle(root).fontSize) - 3.5;
    }
    function edge() {  // of the text, or of the short version, which reaches further
      var wider = shown && shown.closest(".short-version");
      return (wider || main).getBoundingClientRect().right;
    }
    function place() {
      var wide = room(), beside = wide >= 12.5, line = shown.getClientRects()[0] || shown.getBoundingClientRect();
      note.classList.toggle("sheet", !beside);
      note.style.width = beside ? Math.min(wide, 24) + "rem" : "";
      note.style.top = "";
      note.style.left = beside ? edge() - main.getBoundingClientRect().left + 32 + "px" : "";
      if (beside) note.style.top = Math.max(16, Math.min(line.top - 4, innerHeight - note.offsetHeight - 16)) - main.getBoundingClientRect().top + "px";
      else scrollBy(0, Math.max(0, shown.getBoundingClientRect().bottom + 16 - note.getBoundingClientRect().top));
    }
    function show(mark) {
      hide();
      fill(mark);
      shown = mark;
      mark.classList.add("noted");
      if (!mark.matches(".abbr")) mark.setAttribute("aria-describedby", says.id);  // whose words are in the link
      note.hidden = false;
      note.scrollTop = 0;
      place();
    }
    function hide() {
      clearTimeout(timer);
      hovered = false;
      note.hidden = true;
      if (!shown) return;
      shown.classList.remove("noted");
      shown.removeAttribute("aria-describedby");
      shown = null;
    }
    function leave() {  // back to where the note was opened
      var mark = shown, lost = note.contains(document.activeElement) || document.activeElement === document.body;
      hide();
      drop();
      quiet = true;
      if (mark && lost) mark.focus({ preventScroll: true });
      quiet = false;
    }

    // Back closes a sheet: one that was opened by hand has an entry in the history, taken back before a link is followed.
    var next = null;
    if (history.state === "note") history.replaceState(null, "");  // the page was loaded anew
    function hold() {
      if (!shown || !note.matches(".sheet") || history.state === "note") return;
      history.scrollRestoration = "manual";
      history.pushState("note", "");
    }
    function drop(then) {
      if (history.state !== "note") return;
      if (!next) history.back();
      next = then || next || hold;  // another may have been opened by then
    }
    addEventListener("popstate", function () {
      if (history.state === "note") return;
      history.scrollRestoration = "auto";
      (next || hide)();
      next = null;
    });

    close.addEventListener("click", leave);
    var moved = true;  // a page that scrolls under a resting pointer shows no note
    document.addEventListener("pointermove", function () { moved = true; }, { passive: true });
    addEventListener("hashchange", function () { moved = false; });
    document.addEventListener("pointerover", function (event) {
      if (event.pointerType === "touch" || !moved) return;
      var mark = markOf(event.target);
      clearTimeout(timer);
      if (mark && mark !== shown && room() >= 12.5) timer = setTimeout(function () { show(mark); hovered = true; }, 120);
      else if (!mark && hovered && !note.contains(event.target)) timer = setTimeout(hide, 1200);  // time enough to reach the note
    });
    document.addEventListener("focusin", function (event) {
      var mark = markOf(event.target);
      if (mark && mark !== shown && !quiet && mark.matches(":focus-visible")) show(mark);
      else if (!mark && !note.contains(event.target)) { hide(); drop(); }
    });
    document.addEventListener("click", function (event) {
      var mark = markOf(event.target), link = event.target.closest && event.target.closest("a[href]");
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;  // to a new tab or window
      if (link && (!mark || mark === shown || !event.detail || event.pointerType === "mouse" && room() >= 12.5)) {  // Enter has no detail
        hide();
        if (history.state !== "note" || link.hasAttribute("download")) return drop();
        event.preventDefault();
        return drop(function () {  // later, or the part is not the target of the address
          setTimeout(function () { if (link.href === location.href) unfold(); else location.href = link.href; });
        });
      }
      if (note.contains(event.target)) return;
      if (!mark) return leave();
      if (mark === shown || !event.detail) return;
      event.preventDefault();
      show(mark);
      hold();
      note.focus({ preventScroll: true });
    });
    document.addEventListener("keydown", function (event) {
      var stops = note.querySelectorAll("a[href], button"), at = document.activeElement;
      if (event.key === "Escape" && shown) leave();
      else if (event.key === "Enter" && shown && at === shown && !shown.href && note.querySelector(".note-go")) note.querySelector(".note-go").click();
      else if (event.key === "Tab" && note.contains(at) && (event.shiftKey ? at === note || at === stops[0] : at === stops[stops.length - 1])) {
        event.preventDefault();
        leave();
      }
    });
    addEventListener("resize", function () { if (shown) place(); });
  }

  // The contents mark the section being read and how far it is; on a phone the bar says so, and leads back to the answer.
  function whereNow() {
    var links = {}, shown = null, side = document.querySelector(".side"), masthead = document.querySelector(".masthead"), article = document.querySelector("article");
    each("#contents li li a", function (a) { if (a.hash) links[decodeURIComponent(a.hash.slice(1))] = a; });
    var sections = Array.prototype.filter.call(document.querySelectorAll("article section[id]"), function (s) { return links[s.id]; });
    if (!sections.length) sections = document.querySelectorAll("article :is(h1, h2)");  // the contents list none of this page
    var short = document.querySelector(".short-version"), where = document.createElement("div"), section = document.createElement("button"), up = document.createElement("a");
    where.className = "where";
    section.className = "section";
    section.type = "button";
    section.setAttribute("aria-label", "Contents");
    section.addEventListener("click", function () { document.querySelector("button.menu").click(); });
    up.className = "up";
    up.href = "#" + (short || document.querySelector("main")).id;
    up.textContent = short ? "Answer ↑" : "Top ↑";
    where.append(section, up);
    masthead.prepend(where);
    function mark() {
      var at = null, box = article.getBoundingClientRect();
      sections.forEach(function (s) { if (s.offsetParent && s.getBoundingClientRect().top < innerHeight / 3) at = links[s.id] || s; });
      side.style.setProperty("--read", Math.max(0, Math.min(100, 100 * (innerHeight / 3 - box.top) / (box.height - innerHeight * 2 / 3))).toFixed(1) + "%");
      masthead.classList.toggle("reading", box.top < -200);
      if (at === shown) return;
      if (shown) { shown.classList.remove("now"); shown.removeAttribute("aria-current"); }
      if (at && at.href) {
        at.classList.add("now");
        at.setAttribute("aria-current", "true");
        var place = at.getBoundingClientRect();  // the contents scroll by themselves
        if (side.scrollHeight > side.clientHeight && (place.top < 0 || place.bottom > side.clientHeight)) side.scrollTop += place.top - side.clientHeight / 2;
      }
      section.textContent = at ? (at.href ? at : at.firstChild).textContent : "";
      section.setAttribute("aria-label", at ? "Contents; now reading: " + section.textContent : "Contents");
      shown = at;
    }
    addEventListener("scroll", mark, { passive: true });
    requestAnimationFrame(mark);
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

  // Words that the search found are marked on arrival, without a change to the page; Escape or the button takes the marks away.
  function found() {
    var asked = new URLSearchParams(location.search).get("marked"), article = document.querySelector("article");
    if (!asked || !window.Highlight || !article) return;
    var given = asked.split("|"), words = given.map(function (w) { return w.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"); }).join("|"), ranges = [];
    var word = new RegExp("(?<![\\p{L}\\p{N}])(?:" + words + ")(?![\\p{L}\\p{N}])", "giu"), walk = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      if (walk.currentNode.parentElement.closest(".note, script, template, .cite-boxes, .cite-box")) continue;
      Array.from(walk.currentNode.data.matchAll(word), function (m) {
        if (!given.some(function (w) { return w === m[0] || !/^[A-Z]{2,4}$/.test(w) && w.toLowerCase() === m[0].toLowerCase(); })) return;  // ET is not et
        var range = document.createRange();
        range.setStart(walk.currentNode, m.index);
        range.setEnd(walk.currentNode, m.index + m[0].length);
        ranges.push(range);
      });
    }
    if (!ranges.length) return;
    CSS.highlights.set("found", new Highlight(...ranges));
    var button = document.createElement("button");
    button.type = "button";
    button.className = "found";
    button.textContent = "Remove the marks";
    document.body.append(button);
    function away() {
      CSS.highlights.delete("found");
      button.remove();
      document.removeEventListener("keydown", escaped);
    }
    function escaped(event) { if (event.key === "Escape") away(); }
    button.addEventListener("click", away);
    document.addEventListener("keydown", escaped);
  }

  document.addEventListener("DOMContentLoaded", function () {
    [themes, menu, code, layers, notes, mentions, whereNow, found, printing, scrollers].forEach(function (start) { start(); });
    unfold();
    addEventListener("hashchange", unfold);
    document.addEventListener("click", function (event) {  // the address that stands there already changes nothing
      var link = event.target.closest && event.target.closest("a[href^='#']");
      if (link && link.hash === location.hash && !event.defaultPrevented) unfold();
    });
    addEventListener("resize", function () { scrollers(); });
    document.addEventListener("toggle", function (event) { scrollers(event.target); }, true);
  });
})();
