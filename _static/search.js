// The search: ranks what search-index.js holds of each part of the book. Classic script of the search page alone.
(function () {
  "use strict";
  var TOKEN = /\p{L}+\p{N}+(?:\.\p{N}+)?|\p{L}+|\p{N}+(?:[.,]\p{N}+)*%?/gu;
  var COMMON = new Set("a an and are as at be by for from in is it of on or that the to was were with".split(" "));
  var ORDER = { answer: 1.6, claim: 1.15, section: 1.1, term: 1.1, figure: 1, table: 1, evidence: .9, page: .55 };
  var FIRST = 20, SOME = 5, FIELD = 1e5;

  // One form for the forms of a word: without accents, plural or the differences of British and American spelling.
  function fold(word) {
    if (/\p{N}/u.test(word[0])) return word.replace(/,(?=\p{N}{3})/gu, "");
    word = word.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "").replace(/ae|oe/g, "e").replace(/is(?=(e|ed|es|ing|ation|ations)$)/, "iz").replace(/our/, "or");
    return word.length > 3 ? word.replace(/ies$/, "y").replace(/([^sui])s$/, "$1") : word;
  }
  function tokens(text) {
    return Array.from(text.matchAll(TOKEN), function (m) { return { word: fold(m[0]), seen: m[0], at: m.index, end: m.index + m[0].length }; });
  }

  // Where each word stands: pairs of a part and a place in it; the title, the reported figures and the text are far apart.
  var parts = BOOK.parts.map(function (p) {
    return { kind: p[0], tag: p[1], label: p[2], page: p[3], within: p[4], fields: [p[5], p[6], p[7]], tokens: [] };
  });
  var places = new Map();
  parts.forEach(function (part, n) {
    part.fields.forEach(function (text, f) {
      part.tokens[f] = tokens(text);
      part.tokens[f].forEach(function (t, i) {
        put(t.word, n, f * FIELD + i);
        if (t.word.endsWith("%")) put(t.word.slice(0, -1), n, f * FIELD + i);
      });
    });
  });
  function put(word, n, place) {
    if (!places.has(word)) places.set(word, []);
    places.get(word).push(n, place);
  }
  function token(n, place) { return parts[n].tokens[Math.floor(place / FIELD)][place % FIELD]; }

  // The names of one thing, by their words.
  var names = new Map();
  BOOK.names.forEach(function (group) {
    group.forEach(function (name) { names.set(words(name).join(" "), group); });
  });
  function words(text) { return tokens(text).map(function (t) { return t.word; }); }

  // What a query asks for: units, each of one or more phrases, any of which will do.
  function asked(query) {
    var found = tokens(query), units = [], some = found.filter(function (t) { return !COMMON.has(t.word); });
    for (var i = 0; i < found.length;) {
      var n = Math.min(6, found.length - i), joined = 1;  // words that a hyphen joins stay together
      while (i + joined < found.length && /^[-‐‑–]$/.test(query.slice(found[i + joined - 1].end, found[i + joined].at))) joined += 1;
      while (n > 0 && !names.has(key(i, n))) n -= 1;
      if (n >= joined) units.push(names.get(key(i, n)).map(phrase));
      else if (joined > 1 || !some.length || !COMMON.has(found[i].word))
        units.push([{ words: key(i, joined).split(" "), open: joined === 1 && /^\p{L}{4}/u.test(found[i].word) }]);
      i += Math.max(n, joined);
    }
    return units;
    function key(i, n) { return found.slice(i, i + n).map(function (t) { return t.word; }).join(" "); }
  }
  function phrase(name) {
    return { words: words(name), exact: /^[A-Z]{2,4}$/.test(name) ? name : "" };
  }

  // The places of a phrase, by part; an open one may be the beginning of a word.
  function hits(phrase, into) {
    var first = phrase.words[0], starts = places.get(first) || [];
    if (phrase.open) places.forEach(function (where, word) { if (word !== first && word.startsWith(first)) starts = starts.concat(where); });
    for (var k = 0; k < starts.length; k += 2) {
      var n = starts[k], at = starts[k + 1], length = phrase.words.length;
      var fits = phrase.words.every(function (w, i) { var t = token(n, at + i); return t && (i === 0 || t.word === w); });
      if (!fits || phrase.exact && !alone(n, at, phrase.exact)) continue;
      if (!into.has(n)) into.set(n, []);
      into.get(n).push([at, length]);
    }
    return into;
  }

  // An abbreviation stands alone and in its own capitals: ET is neither et nor part of EXCEED-ET.
  function alone(n, at, short) {
    var t = token(n, at);
    return t.seen.replace(/s$/, "") === short && !/[-‑]/.test(parts[n].fields[Math.floor(at / FIELD)][t.at - 1] || "");
  }

  function search(query) {
    var plain = query.trim().toUpperCase(), id = plain.match(/^([A-Z]{3})[ ‑–-]?0*(\d{1,3})$/), exact = new Map();
    parts.forEach(function (part, n) {
      if (part.tag === plain) exact.set(n, []);
      if (id && part.kind === "claim" && new RegExp("^" + id[1] + "-0*" + id[2] + "$", "i").test(part.label)) exact.set(n, []);
    });
    var units = asked(query).map(function (phrases) {
      var found = new Map();
      phrases.forEach(function (p) { if (p.words.length) hits(p, found); });
      return found;
    });
    var held = new Map(), most = exact.size ? units.length : 0, ranked = [];  // the units that each part holds
    units.forEach(function (u) { u.forEach(function (_, n) { if (!exact.has(n)) held.set(n, (held.get(n) || []).concat([u])); }); });
    held.forEach(function (us) { most = Math.max(most, us.length); });
    held.forEach(function (us, n) {
      if (us.length === most) ranked.push([us.reduce(function (sum, u) { return sum + weight(u, n, us); }, near(n, us)) * ORDER[parts[n].kind], n]);
    });
    ranked.sort(function (a, b) { return b[0] - a[0] || a[1] - b[1]; });
    var partly = most < units.length;  // none holds all that is asked: the best of those that hold most of it
    var found = Array.from(exact.keys()).concat(ranked.slice(0, partly ? SOME : undefined).map(function (r) { return r[1]; })).map(function (n) {
      return { part: parts[n], at: [].concat.apply([], units.map(function (u) { return u.get(n) || []; })) };
    });
    return { hits: found, partly: partly };
  }
  function weight(unit, n, units) {
    var rare = Math.log(1 + parts.length / unit.size), score = 0, fields = [0, 0, 0];
    unit.get(n).forEach(function (h) { fields[Math.floor(h[0] / FIELD)] += 1; });
    if (fields[0]) score += 4 + (units.length === 1 && fields[0] && parts[n].tokens[0].length === unit.get(n)[0][1] ? 4 : 0);
    if (fields[1]) score += 4;
    if (fields[2]) score += 1 + Math.min(2, Math.log2(fields[2]) / 2) + 2 * fields[2] / (10 + parts[n].tokens[2].length / 10);
    return rare * score;
  }
  function near(n, units) {  // words that stand together count more than words that share a part
    if (units.length < 2) return 0;
    var places = units.map(function (u) { return u.get(n).map(function (h) { return h[0]; }); }), best = 1e6;
    places[0].forEach(function (at) {
      var far = places.slice(1).reduce(function (most, p) { return Math.max(most, Math.min.apply(null, p.map(function (x) { return Math.abs(x - at); }))); }, 0);
      best = Math.min(best, far);
    });
    return best < 4 ? 12 : best < 12 ? 6 : 0;
  }

  // A text with its words marked, from ``from`` to ``to``.
  function marked(into, part, field, hits, from, to) {
    var text = part.fields[field], at = from;
    spans(part, field, hits).forEach(function (s) {
      if (s[0] < at || s[1] > to) return;
      var mark = document.createElement("mark");
      mark.textContent = text.slice(s[0], s[1]);
      into.append(text.slice(at, s[0]), mark);
      at = s[1];
    });
    into.append(text.slice(at, to));
    return into;
  }
  function spans(part, field, hits) {
    return hits.filter(function (h) { return Math.floor(h[0] / FIELD) === field; }).map(function (h) {
      var i = h[0] % FIELD, t = part.tokens[field];
      return [t[i].at, t[i + h[1] - 1].end];
    }).sort(function (a, b) { return a[0] - b[0]; });
  }
  // The stretch of a text in which most of the words stand.
  function excerpt(part, hits) {
    var text = part.fields[2], all = spans(part, 2, hits), best = 0, most = -1;
    all.forEach(function (s) {
      var n = new Set(all.filter(function (o) { return o[0] >= s[0] && o[1] < s[0] + 150; }).map(function (o) { return text.slice(o[0], o[1]).toLowerCase(); })).size;
      if (n > most) { most = n; best = s[0]; }
    });
    var from = best < 70 ? 0 : text.indexOf(" ", best - 60) + 1, to = Math.min(text.length, from + 230);
    if (to < text.length) to = Math.max(text.lastIndexOf(" ", to), best + 20);
    var p = document.createElement("p");
    p.className = "excerpt";
    if (from) p.append("… ");
    marked(p, part, 2, hits, from, to);
    if (to < text.length) p.append(" …");
    return p;
  }

  function shown(hit) {
    var part = hit.part, page = BOOK.pages[part.page], li = document.createElement("li"), a = document.createElement("a"), where = document.createElement("p");
    var seen = new Set(hit.at.map(function (h) { var t = part.tokens[Math.floor(h[0] / FIELD)], i = h[0] % FIELD; return part.fields[Math.floor(h[0] / FIELD)].slice(t[i].at, t[i + h[1] - 1].end); }));
    var carried = Array.from(seen).slice(0, 8).join("|");
    a.href = page[0] + (carried ? "?marked=" + encodeURIComponent(carried) : "") + "#" + part.label;
    marked(a, part, 0, hit.at, 0, part.fields[0].length);
    where.className = "where";
    var within = part.within >= 0 ? parts[part.within].fields[0] : "";
    where.textContent = part.kind + (part.tag ? " " + part.tag : "") + (part.kind === "page" ? "" : ", in " + page[1] + (within && within !== page[1] ? " › " + within : ""));
    li.append(a, where);
    if (part.fields[2]) li.append(excerpt(part, hit.at));
    return li;
  }

  document.addEventListener("DOMContentLoaded", function () {
    var form = document.querySelector(".find-here"), count = document.getElementById("search-count"), list = document.getElementById("search-results"), title = document.title;
    function show() {
      var query = (new URLSearchParams(location.search).get("q") || "").trim(), result = query ? search(query) : { hits: [] }, found = result.hits;
      document.querySelectorAll("input[name=q]").forEach(function (input) { input.value = query; });
      document.title = query ? query + " · " + title : title;
      list.textContent = "";
      if (list.nextElementSibling) list.nextElementSibling.remove();
      count.textContent = !query ? "" : found.length && !result.partly ? (found.length > 1 ? found.length + " parts of the book" : "One part of the book")
        : "No part of the book holds all of this" + (found.length ? "; those that come nearest:" : ". Fewer words find more; the glossary lists abbreviations and other names.");
      found.slice(0, FIRST).forEach(function (hit) { list.append(shown(hit)); });
      if (found.length > FIRST) more(found.slice(FIRST));
    }
    function more(rest) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = "Show the other " + rest.length;
      button.addEventListener("click", function () {
        rest.forEach(function (hit) { list.append(shown(hit)); });
        list.children[FIRST].querySelector("a").focus();
        button.remove();
      });
      list.after(button);
    }
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      history.pushState(null, "", "?q=" + encodeURIComponent(form.q.value));
      show();
    });
    addEventListener("popstate", show);
    show();
  });
})();
