/* What has changed since each edition: loaded by frozen pages, written anew with every build. */
(function () {
  var base = document.currentScript.src.replace(/changes\.js.*$/, "");
  var meta = document.querySelector('meta[name="book-parts"]');
  var edition = document.querySelector('meta[name="book-edition"]');
  var changes = meta && edition && (@CHANGES@)[edition.content];
  if (!changes) return;
  meta.content.split(" ").forEach(function (part) {
    var p = part.split(":"), said = changes[p[0]], at = document.getElementById(p[1]);
    if (!said || !at) return;
    var note = document.createElement("div"), link = document.createElement("a");
    note.className = "changed-since";
    note.setAttribute("role", "note");
    note.textContent = "Since edition " + edition.content + ", " + p[0] + ": " + said + ". ";
    link.href = base + "t/" + p[0] + "/index.html";
    link.textContent = "As it stands now";
    note.appendChild(link);
    var head = at.querySelector(":scope > :is(h2, h3, h4, h5, h6)");
    if (head) head.after(note);
    else if (/SECTION|LI/.test(at.tagName)) at.prepend(note);
    else at.before(note);
  });
})();
