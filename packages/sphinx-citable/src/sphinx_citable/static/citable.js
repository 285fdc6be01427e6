// The boxes of citations: their copy buttons and formats. Every box is complete enough without: Vancouver text and links.
(function () {
  "use strict";

  function each(selector, act, within) {
    Array.prototype.forEach.call(within.querySelectorAll(selector), act);
  }

  // The box of a citation holds Vancouver text and links. Its other formats are filled in when it first opens: the page has
  // each format once, with marks for the words that differ from part to part.
  function citations() {
    var forms = document.getElementById("cite-forms");
    if (!forms) return;
    function copier(what, text) {
      var button = document.createElement("button");
      button.type = "button";
      button.className = "cite-copy";
      button.textContent = "Copy";
      button.setAttribute("aria-label", "Copy " + what);
      function done() {
        button.textContent = "Copied";
        button.setAttribute("aria-label", "Copied " + what);
      }
      function byHand() {  // where the browser keeps its clipboard from a page
        var area = document.createElement("textarea");
        area.value = text;
        button.after(area);
        area.select();
        if (document.execCommand("copy")) done();
        area.remove();
        button.focus();
      }
      button.addEventListener("click", function () {
        if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, byHand);
        else byHand();
      });
      return button;
    }
    function fill(box) {
      var tag = box.id.slice(5), own = box.dataset, files = box.querySelector(".cite-files");
      var more = forms.content.cloneNode(true);
      each("dt, dd", function (of) { box.querySelector("dl").append(of); }, more);
      each("a[data-to]", function (link) { link.href = link.dataset.to.replace("@TAG@", tag); }, more);
      each("span", function (links) { files.append(" ", links); }, more);
      each("dt", function (name) { name.append(copier(name.textContent.toLowerCase(), name.nextElementSibling.textContent)); }, box);
      each("pre", function (form) {
        if (form.dataset.set !== own.set) return;
        var row = document.createElement("div"), format = document.createElement("details"), name = document.createElement("summary"), pre = document.createElement("pre");
        row.className = "cite-format";
        format.name = "formats-" + tag;
        name.textContent = form.title;
        pre.textContent = form.textContent.split("@TAG@").join(tag).split("@OFTEXT@").join(own.text)
          .replace(/(, results |\.)@RESULT@/g, own.results ? "$1" + own.results : "")
          .split("@TITLE@").join(own[form.dataset.form] || own.title);
        format.append(name, pre);
        row.append(format, copier(form.title, pre.textContent));
        files.before(row);
      }, forms.content);
      var close = document.createElement("button");
      close.type = "button";
      close.className = "cite-close";
      close.textContent = "Close";
      close.addEventListener("click", function () { box.hidePopover(); });
      files.append(close);
      box.filled = true;
    }
    document.addEventListener("beforetoggle", function (event) {
      if (event.newState === "open" && event.target.matches(".cite-box") && !event.target.filled) fill(event.target);
    }, true);
  }

  document.addEventListener("DOMContentLoaded", citations);
})();
