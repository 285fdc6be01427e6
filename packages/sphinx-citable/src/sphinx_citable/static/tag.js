document.querySelectorAll("pre[id]").forEach(function (p) {
  var b = document.createElement("button");
  b.type = "button";
  b.textContent = "Copy";
  b.onclick = function () {
    var r = document.createRange(), s = getSelection();
    r.selectNodeContents(p);
    s.removeAllRanges();
    s.addRange(r);
    if (document.execCommand("copy")) b.textContent = "Copied";
  };
  document.getElementById("h-" + p.id).append(b);
});
