// What JavaScript adds to the pages of complaints, all of which work without it: subjects are found by words, the
// secret taken out of the address. Words stand in the page, never here.
// It runs on browsers as old as Chrome 61 and iOS 11: ES5 only.
(function () {
  "use strict";

  var MOST_FOUND = 6;
  var SHORTEST_LATIN = 3;
  var root = document.documentElement;

  function all(selector, within) {
    return [].slice.call((within || document).querySelectorAll(selector));
  }

  function one(selector, within) {
    return (within || document).querySelector(selector);
  }

  // ---- Subjects by everyday words, found as `complaints/category_search.py` finds them without JavaScript. ----

  function plain(text) {
    return (text.normalize ? text.normalize("NFKC") : text).toLowerCase();
  }

  // How many characters a typed word and a known one share: one holds the other.
  function shared(word, known) {
    if (/^[\x00-\x7f]+$/.test(word)) {
      if (word.length < SHORTEST_LATIN) {
        return 0;
      }
      if ((" " + known).indexOf(" " + word) >= 0) {
        return word.length;
      }
      return known.length >= SHORTEST_LATIN && word.indexOf(known) === 0 ? known.length : 0;
    }
    if (known.indexOf(word) >= 0) {
      return word.length;
    }
    return known.length > 1 && word.indexOf(known) >= 0 ? known.length : 0;
  }

  function fit(words, choice, order) {
    var known = choice.getAttribute("data-words").split("|");
    var found = {choice: choice, order: order, shared: 0, length: 0};
    words.forEach(function (word) {
      var best = known.map(function (other) {
        return [shared(word, other), other.length];
      }).sort(function (one, other) {
        return other[0] - one[0] || one[1] - other[1];
      })[0];
      found.shared += best[0];
      found.length += best[0] && best[1];
    });
    return found;
  }

  function findSubjects(finder) {
    var choices = all("[data-words]", document.getElementById(finder.getAttribute("data-finder")));
    var field = one("input", finder);
    var found = one("[role=status]", finder);

    function matching(typed) {
      var words = plain(typed).split(/[\s,，、。;；/]+/).filter(Boolean);
      return choices.map(function (choice, order) {
        return fit(words, choice, order);
      }).filter(function (each) {
        return each.shared;
      }).sort(function (one, other) {
        return other.shared - one.shared || one.length - other.length || one.order - other.order;
      }).slice(0, MOST_FOUND);
    }

    function choose(choice) {
      var group = choice.closest("details");
      if (group) {
        group.open = true;
      }
      choice.checked = true;
      choice.dispatchEvent(new CustomEvent("change", {bubbles: true}));
    }

    function show() {
      found.textContent = "";
      if (!field.value.trim()) {
        return;
      }
      var best = matching(field.value);
      if (!best.length) {
        found.textContent = found.getAttribute("data-none");
      }
      best.forEach(function (each) {
        var group = each.choice.closest("details");
        var button = document.createElement("button");
        button.type = "button";
        button.textContent = (group ? group.getAttribute("data-name") + " · " : "") +
          each.choice.parentNode.textContent;
        button.setAttribute("aria-pressed", String(each.choice.checked));
        button.addEventListener("click", function () {
          all("button", found).forEach(function (other) {
            other.setAttribute("aria-pressed", String(other === button));
          });
          choose(each.choice);
        });
        found.appendChild(button);
      });
    }

    one("[data-without-script]", finder).hidden = true;
    field.addEventListener("input", show);
    field.addEventListener("keydown", function (event) {
      // Enter would send the form.
      if (event.keyCode === 13) {
        event.preventDefault();
      }
    });
    // What was chosen from a draft is in sight.
    choices.filter(function (choice) {
      return choice.checked && choice.closest("details");
    }).forEach(function (choice) {
      choice.closest("details").open = true;
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
