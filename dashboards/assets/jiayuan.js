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
// Dash says nothing when an answer does not come: the page would wait for ever.
(function () {
  var KINDS = { 0: "unreachable", 401: "signed_out", 403: "forbidden", 404: "gone", 409: "outdated" };
  var ask = window.fetch;
  var failedAt = 0;

  function tell(kind) {
    var failure = document.getElementById("failure");
    failure.querySelectorAll("[data-kind]").forEach(function (each) {
      each.hidden = each.getAttribute("data-kind") !== kind;
      // Without the part of the page that was last looked at: a link to a part loads nothing.
      each.querySelector("a").href = window.location.pathname + window.location.search;
    });
    failure.hidden = false;
    document.body.classList.add("failed");
  }

  // What was asked beside the request that failed says nothing about it.
  function recover(askedAt) {
    if (askedAt <= failedAt) {
      return;
    }
    document.getElementById("failure").hidden = true;
    document.body.classList.remove("failed");
  }

  // A request ends too when the page is left: then nothing is left to tell it.
  function tellSoon(status) {
    failedAt = window.performance.now();
    window.setTimeout(tell, 200, KINDS[status] || "failed");
  }

  window.fetch = function (resource) {
    var askedAt = window.performance.now();
    var answer = ask.apply(window, arguments);
    if (String((resource && resource.url) || resource).indexOf("/_dash-") >= 0) {
      answer.then(
        function (response) {
          if (response.ok) {
            recover(askedAt);
          } else {
            tellSoon(response.status);
          }
        },
        function () {
          tellSoon(0);
        }
      );
    }
    return answer;
  };
  window.addEventListener(
    "error",
    function (event) {
      if (event.target.nodeName === "SCRIPT") {
        tellSoon(0);
      }
    },
    true
  );
  // Whoever does not see the grey shapes is told that the page is drawn anew.
  new MutationObserver(function () {
    var content = document.getElementById("content");
    if (content) {
      content.setAttribute("aria-busy", String(content.hasAttribute("data-dash-is-loading")));
    }
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-dash-is-loading"], subtree: true });
})();
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
