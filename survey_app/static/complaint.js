// What JavaScript adds to the pages of complaints, all of which work without it: subjects are found by words, the
// secret taken out of the address. Words stand in the page, never here.
// It runs on browsers as old as Chrome 61 and iOS 11: ES5 only.
(function () {
  "use strict";

  var MOST_FOUND = 6;
  var root = document.documentElement;

  function all(selector, within) {
    return [].slice.call((within || document).querySelectorAll(selector));
  }

  function one(selector, within) {
    return (within || document).querySelector(selector);
  }

  // ---- Subjects by words: every word that is typed must stand in the name, the group or the words of a subject. ----

  function findSubjects(finder) {
    var select = document.getElementById(finder.getAttribute("data-finder"));
    var field = one("input", finder);
    var found = one("[role=status]", finder);

    function wordsOf(option) {
      return [option.textContent, option.parentNode.label, option.getAttribute("data-words")].join("|").toLowerCase();
    }

    function matching(typed) {
      var words = typed.toLowerCase().split(/[\s,，、。]+/).filter(Boolean);
      return all("option[data-words]", select).filter(function (option) {
        var known = wordsOf(option);
        return words.every(function (word) {
          // 小区乱停车 holds a word that is known, 停 is held by one.
          return known.indexOf(word) >= 0 || known.split("|").some(function (part) {
            return part.length > 1 && word.indexOf(part) >= 0;
          });
        });
      });
    }

    function show() {
      found.textContent = "";
      if (!field.value.trim()) {
        return;
      }
      var options = matching(field.value).slice(0, MOST_FOUND);
      if (!options.length) {
        found.textContent = found.getAttribute("data-none");
      }
      options.forEach(function (option) {
        var button = document.createElement("button");
        button.type = "button";
        button.textContent = option.parentNode.label + " · " + option.textContent;
        button.setAttribute("aria-pressed", String(option.selected));
        button.addEventListener("click", function () {
          select.value = option.value;
          all("button", found).forEach(function (other) {
            other.setAttribute("aria-pressed", String(other === button));
          });
          select.dispatchEvent(new CustomEvent("change", {bubbles: true}));
        });
        found.appendChild(button);
      });
    }

    finder.hidden = false;
    field.addEventListener("input", show);
    field.addEventListener("keydown", function (event) {
      // Enter would send the form.
      if (event.keyCode === 13) {
        event.preventDefault();
      }
    });
  }

  // ---- The link to keep has the secret and its proof behind the #, which no server is sent: they move into fields. ----

  function takeSecret(field) {
    var secret = /^#(\d{12})(?:\.([0-9a-f]{32}))?$/.exec(location.hash);
    if (secret) {
      field.value = secret[1];
      one("[data-proof]", field.form).value = secret[2] || "";
      history.replaceState(null, "", location.pathname + location.search);
      field.form.scrollIntoView();
    }
  }

  // ---- “Me too” counts once on a phone that remembers a random number. ----

  function device() {
    try {
      var known = localStorage.getItem("jiayuan-device");
      if (!known) {
        known = [].map.call(crypto.getRandomValues(new Uint32Array(4)), String).join("-");
        localStorage.setItem("jiayuan-device", known);
      }
      return known;
    } catch (refused) {
      return "";
    }
  }

  function enhance() {
    all("[data-finder]").forEach(findSubjects);
    all("[data-secret]").forEach(takeSecret);
    all("[data-device]").forEach(function (field) {
      field.value = device();
    });
  }

  enhance();
  // form.js shows the answer to a form in place of the page that sent it.
  new MutationObserver(enhance).observe(root, {childList: true});
})();
