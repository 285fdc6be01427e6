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
    var first = cells[0].closest(".cell") || cells[0];
    first.parentNode.insertBefore(button, first);
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

  // A link to something folded opens the fold.
  function unfold() {
    var id = decodeURIComponent(location.hash.slice(1));
    var target = id && document.getElementById(id);
    if (!target) return;
    for (var e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
    if (!target.closest("details")) return;
    target.scrollIntoView();
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

  function whereNow() {
    var links = {}, shown = null;
    each(".here a", function (a) { links[decodeURIComponent(a.hash.slice(1))] = a; });
    var sections = Array.prototype.filter.call(document.querySelectorAll("article section[id]"), function (s) { return links[s.id]; });
    if (!sections.length) return;
    function mark() {
      var at = null;
      sections.forEach(function (s) { if (s.getBoundingClientRect().top < innerHeight / 3) at = links[s.id]; });
      if (at === shown) return;
      if (shown) { shown.classList.remove("now"); shown.removeAttribute("aria-current"); }
      if (at) { at.classList.add("now"); at.setAttribute("aria-current", "true"); }
      shown = at;
    }
    addEventListener("scroll", mark, { passive: true });
    mark();
  }

  // On paper the code stands at the end, numbered, and nothing is folded away.
  function printing() {
    var appendix = null, opened = [];
    addEventListener("beforeprint", function () {
      each("details.plain:not([open])", function (d) { d.open = true; opened.push(d); });
      var cells = document.querySelectorAll("details.code");
      if (!cells.length) return;
      appendix = document.createElement("section");
      appendix.className = "code-appendix";
      appendix.innerHTML = "<h2>Code</h2>";
      Array.prototype.forEach.call(cells, function (d, n) {
        var title = document.createElement("p");
        title.textContent = n + 1 + ". " + d.querySelector("summary").textContent;
        appendix.append(title, d.querySelector(".highlight").cloneNode(true));
      });
      document.querySelector("article").append(appendix);
    });
    addEventListener("afterprint", function () {
      opened.forEach(function (d) { d.open = false; });
      opened = [];
      if (appendix) appendix.remove();
      appendix = null;
    });
  }

  // Words that the search found are marked on arrival, without a change to the page; Escape or the button takes the marks away.
  function found() {
    var asked = new URLSearchParams(location.search).get("marked"), article = document.querySelector("article");
    if (!asked || !window.Highlight || !article) return;
    var given = asked.split("|"), words = given.map(function (w) { return w.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"); }).join("|"), ranges = [];
    var word = new RegExp("(?<![\\p{L}\\p{N}])(?:" + words + ")(?![\\p{L}\\p{N}])", "giu"), walk = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      if (walk.currentNode.parentElement.closest(".tip, script, template, .cite-boxes, .cite-box")) continue;
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
    [themes, menu, code, scrollers, tips, mentions, whereNow, found, printing].forEach(function (start) { start(); });
    unfold();
    addEventListener("hashchange", unfold);
    addEventListener("resize", scrollers);
  });
})();
