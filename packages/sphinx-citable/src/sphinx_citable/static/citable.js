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
    // The permanent address of a tag in the state that is shown: where the site has an address that, else as it was opened.
    function address(tag, own, link) {
      var home = document.querySelector('link[rel="cite-as"][href*="/t/"]');
      var top = home ? home.href.replace(/t\/\w+\/$/, "t/" + tag + "/") : link.href;
      return top + "#" + own.text + (own.results ? "." + own.results : "");
    }
    function does(words, act) {
      var button = document.createElement("button");
      button.type = "button";
      button.className = "cite-copy";
      button.textContent = words;
      button.addEventListener("click", act);
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
      var link = files.querySelector("a"), here = address(tag, own, link);
      link.after(" ", copier("link to " + tag, here));
      var drawn = drawing(tag);
      if (drawn) ["svg", "png"].forEach(function (kind) {
        files.append(does("Save as " + kind.toUpperCase(), function () {
          save(drawing(tag), kind, tag, box.querySelector("dd").textContent, here);
        }));
      });
      var close = does("Close", function () { box.hidePopover(); });
      close.className = "cite-close";
      files.append(close);
      box.filled = true;
    }
    document.addEventListener("beforetoggle", function (event) {
      if (event.newState === "open" && event.target.matches(".cite-box") && !event.target.filled) fill(event.target);
    }, true);
  }

  // The drawing of a part that is seen now, if it is one.
  function drawing(tag) {
    var mark = document.querySelector('.cite-mark[data-tag="' + tag + '"]'), figure = mark && mark.closest("figure");
    return figure && Array.prototype.find.call(figure.querySelectorAll("svg"), function (svg) { return svg.getClientRects().length; });
  }

  var LOOK = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "stroke-opacity", "opacity",
    "font-family", "font-size", "font-weight", "font-style", "text-anchor", "display", "visibility"];

  // A drawing in a file of its own, made here and now: with the look of the page written into it, its licence and its citation.
  function save(svg, kind, tag, citation, address) {
    var copy = svg.cloneNode(true), box = svg.viewBox.baseVal, ns = "http://www.w3.org/2000/svg";
    var made = copy.querySelectorAll("*"), terms = document.querySelector('link[rel="license"]');
    Array.prototype.forEach.call(svg.querySelectorAll("*"), function (of, n) {
      var look = getComputedStyle(of);
      LOOK.forEach(function (name) { made[n].style.setProperty(name, look.getPropertyValue(name)); });
    });
    function put(name, text) {
      var element = document.createElementNS(ns, name);
      element.textContent = text;
      copy.prepend(element);
      return element;
    }
    var ground = put("rect", "");
    Object.entries({x: box.x, y: box.y, width: box.width, height: box.height, fill: getComputedStyle(document.body).backgroundColor})
      .forEach(function (pair) { ground.setAttribute(pair[0], pair[1]); });
    put("metadata", "Cite: " + citation + "\n" + address + (terms ? "\nLicence: " + terms.href : ""));
    put("title", svg.getAttribute("aria-label") || tag);
    copy.setAttribute("xmlns", ns);
    copy.setAttribute("width", box.width);
    copy.setAttribute("height", box.height);
    var text = new XMLSerializer().serializeToString(copy);
    function keep(blob) {
      var link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = tag + "." + kind;
      link.click();
      setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
    }
    if (kind === "svg") return keep(new Blob([text], {type: "image/svg+xml"}));
    var image = new Image(), canvas = document.createElement("canvas"), scale = 3;
    image.onload = function () {
      canvas.width = scale * box.width;
      canvas.height = scale * box.height;
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob(keep);
    };
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
  }

  document.addEventListener("DOMContentLoaded", citations);
})();
