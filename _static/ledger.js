// The ledger: search, filters and order, kept in the address so that a view can be sent to somebody. Classic script of that page alone.
document.addEventListener("DOMContentLoaded", function () {
  "use strict";
  var table = document.querySelector("table.ledger"), form = document.querySelector("form.ledger-tools");
  var body = table.tBodies[0], rows = Array.from(body.rows), count = form.querySelector(".ledger-count"), order = form.sort;
  var heads = Array.from(table.tHead.rows[0].cells), columns = heads.map(function (h) { return h.dataset.key; });
  rows.forEach(function (row, n) { row.place = n; row.text = row.textContent.toLowerCase(); });

  // What a column is ordered by, none where a cell is empty: verdicts by gravity, as the choices list them; claims by source and
  // number; figures by unit and then size, for figures of different units have no order. Words are never set against numbers.
  function key(row, column) {
    if (column === "verdict" || column === "later") return place(form[column], row.dataset[column]);
    if (column === "id") return [row.id.slice(0, row.id.indexOf("-")), +row.id.slice(row.id.indexOf("-") + 1)];
    if (column === "reported") return row.dataset.unit === undefined ? null : [row.dataset.unit, +row.dataset.value];
    return [row.cells[columns.indexOf(column)].textContent];
  }
  function place(choices, value) {
    var at = Array.from(choices.options, function (o) { return o.value; }).indexOf(value);
    return value ? [at] : null;
  }
  function compared(a, b) {
    for (var i = 0; i < a.length; i += 1) {
      if (a[i] === b[i]) continue;
      return typeof a[i] === "number" ? a[i] - b[i] : a[i].localeCompare(b[i], "en");
    }
    return 0;
  }
  function sort() {
    var down = order.value[0] === "-", column = order.value.slice(down);
    heads.forEach(function (h) { if (h.dataset.key === column) h.setAttribute("aria-sort", down ? "descending" : "ascending"); else h.removeAttribute("aria-sort"); });
    rows.map(function (r) { return [column ? key(r, column) : [r.place], r]; }).sort(function (a, b) {
      if (!a[0] || !b[0]) return !a[0] - !b[0] || a[1].place - b[1].place;  // an empty cell comes last both ways
      return (down ? -1 : 1) * compared(a[0], b[0]) || a[1].place - b[1].place;
    }).forEach(function (pair) { body.append(pair[1]); });
  }
  heads.forEach(function (head) {
    if (!Array.from(order.options).some(function (o) { return o.value === head.dataset.key; })) return;
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = head.dataset.name = head.textContent;
    head.textContent = "";
    head.append(button);
    button.addEventListener("click", function () {
      order.value = (head.getAttribute("aria-sort") === "ascending" ? "-" : "") + head.dataset.key;
      show();
      write();
    });
  });

  var names = ["q", "source", "verdict", "kind", "later", "sort"];
  function show() {
    var words = form.q.value.toLowerCase().split(/\s+/), shown = 0;
    rows.forEach(function (row) {
      var fits = names.slice(1, 5).every(function (k) { return !form[k].value || row.dataset[k] === form[k].value; });
      row.hidden = !(fits && words.every(function (w) { return row.text.indexOf(w) >= 0; }));
      if (!row.hidden) shown += 1;
    });
    count.textContent = shown + " of " + rows.length + " claims";
    sort();
  }
  function write() {
    var parts = names.filter(function (k) { return form[k].value; }).map(function (k) { return k + "=" + encodeURIComponent(form[k].value); });
    history.replaceState(null, "", parts.length ? "#" + parts.join("&") : location.pathname + location.search);
  }
  function read() {
    names.forEach(function (k) { form[k].value = ""; });
    location.hash.slice(1).split("&").forEach(function (part) {
      var at = part.indexOf("="), k = part.slice(0, at);
      if (names.indexOf(k) < 0) return;
      try { form[k].value = decodeURIComponent(part.slice(at + 1)); } catch (error) { form[k].value = part.slice(at + 1); }
    });
    show();
    var row = rows.find(function (r) { return "#" + r.id === location.hash; });
    if (row) row.scrollIntoView();
  }
  form.addEventListener("input", function () { show(); write(); });
  form.addEventListener("reset", function () { setTimeout(function () { show(); write(); }); });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  addEventListener("hashchange", read);
  read();
});
