// The faces of a first screen are asked for together with the style sheets, before which this stands in the head: text that is set
// in another face first and then in ours moves. From a folder a browser refuses such a request, and needs none.
if (location.protocol !== "file:") ["serif-regular", "serif-semibold", "serif-italic", "sans-regular", "sans-semibold"].forEach(function (face) {
  var link = document.createElement("link");
  link.rel = "preload";
  link.as = "font";
  link.crossOrigin = "";
  link.href = new URL("fonts/" + face + ".woff2", document.currentScript.src);
  document.head.appendChild(link);
});
