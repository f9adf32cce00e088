/* What the component libraries take for granted and Chrome 109, the last one for Windows 7, lacks. */
if (!URL.canParse) {
  URL.canParse = function (address, base) {
    try {
      return Boolean(new URL(address, base));
    } catch (fault) {
      return false;
    }
  };
}

/* AG Grid nests its rules, and draws its icons with `mask-image` without a prefix. Chrome can do both from 120 on, but
   claims `selector(&)` long before. */
(function () {
  if (window.CSS.supports("mask-image", "none")) {
    return;
  }

  function flatten(style) {
    var stylis = window.stylis;
    var write = stylis.middleware([stylis.prefixer, stylis.stringify]);
    style.textContent = stylis.serialize(stylis.compile(style.textContent), write);
  }

  function isOfGrid(node) {
    return node.nodeName === "STYLE" && node.hasAttribute("data-ag-css");
  }

  var library = document.createElement("script");
  library.src = document.currentScript.src.replace(/[^/]*$/, "stylis-4.4.0.min.js");
  library.onload = function () {
    document.querySelectorAll("style[data-ag-css]").forEach(flatten);
    new MutationObserver(function (changes) {
      changes.forEach(function (change) {
        Array.prototype.filter.call(change.addedNodes, isOfGrid).forEach(flatten);
      });
    }).observe(document.head, { childList: true });
  };
  document.head.appendChild(library);
})();
