// A tag page takes the theme that a reader chose in the book (classic script in the head: no flash), and its formats can be copied.
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
  document.addEventListener("DOMContentLoaded", function () { document.querySelectorAll("pre[id]").forEach(copier); });
})();
