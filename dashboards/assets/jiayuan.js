/* What the frame of the dashboards does without asking the server. */
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
