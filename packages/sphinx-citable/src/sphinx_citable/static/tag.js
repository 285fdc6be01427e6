// A tag page takes the theme that a reader chose in the book (classic script in the head: no flash), its formats
// can be copied, and it says what became of the state in its address.
(function () {
  "use strict";
  try {
    var theme = localStorage.getItem("theme");
    if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
  } catch (error) { /* a reader may forbid storage */ }

  function copier(pre) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy " + pre.title);
    button.onclick = function () {
      var range = document.createRange(), selection = getSelection();
      range.selectNodeContents(pre);
      selection.removeAllRanges();
      selection.addRange(range);
      if (document.execCommand("copy")) button.textContent = "Copied";
    };
    pre.previousElementSibling.append(button);
  }

  // The address of a citation names the state that was cited by its hashes: say what became of it, from what this page holds.
  function compare() {
    var state = location.hash.slice(1), box = document.getElementById("cited"), at = document.getElementById(state);
    box.hidden = !/^[0-9a-f]{8}(\.[0-9a-f]{8})?$/.test(state);
    if (box.hidden) return;
    box.textContent = at ? at.dataset.told : document.querySelector(".states").dataset.unknown;
    var frozen = at && at.querySelector("a:last-of-type");
    if (frozen) box.append(" ", frozen.cloneNode(true));
    box.scrollIntoView({block: "center"});
  }
  window.addEventListener("hashchange", compare);
  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("pre[id]").forEach(copier);
    compare();
  });
})();
