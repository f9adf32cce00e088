/* What the frame of the dashboards does without asking the server. */
// A browser prints only what is unfolded, and of a list nothing may be missing on paper.
(function () {
  var folded = [];
  window.addEventListener("beforeprint", function () {
    folded = Array.prototype.slice.call(document.querySelectorAll("details:not([open])"));
    folded.forEach(function (each) { each.open = true; });
  });
  window.addEventListener("afterprint", function () {
    folded.forEach(function (each) { each.open = false; });
  });
})();
// A link to a part of the page leads there though it is folded up.
document.addEventListener("click", function (event) {
  var link = event.target.closest && event.target.closest('a[href^="#"]');
  var part = link && document.getElementById(link.hash.slice(1));
  var folded = part && part.closest("details");
  if (folded) {
    folded.open = true;
  }
});
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.jiayuan = {
  openNavigation: function (opened, navbar) {
    return Object.assign({}, navbar, { collapsed: { mobile: !opened } });
  },
  printPage: function (taps) {
    if (taps) {
      window.print();
    }
  },
  closeNavigation: function () {
    return false;
  },
  otherLanguage: function (search, language) {
    var query = new URLSearchParams(search || "");
    query.set("lang", language);
    return "?" + query.toString();
  }
};
