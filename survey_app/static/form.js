// What JavaScript adds to the pages of residents, all of which work without it: large print that is remembered, and
// for a form with the attribute data-form="a name of its own": questions only where they concern, one step at a time,
// a draft on the phone, and sending until the site has acknowledged. Words stand in the page, never here.
// It runs on browsers as old as Chrome 61 and iOS 11: ES5 only.
(function () {
  "use strict";

  var DAY = 24 * 60 * 60 * 1000;
  var LONGEST_WAIT = 60;
  var TIMEOUT = 30 * 1000;
  var PRINT_ASKED = /[?&]text=(large|standard)(&|$)/;
  var root = document.documentElement;

  function all(selector, within) {
    return [].slice.call((within || document).querySelectorAll(selector));
  }

  function one(selector, within) {
    return (within || document).querySelector(selector);
  }

  function setHidden(element, isHidden) {
    if (element) {
      element.hidden = isHidden;
    }
  }

  function add(parent, tag, text, className) {
    var element = document.createElement(tag);
    element.textContent = text;
    element.className = className || "";
    return parent.appendChild(element);
  }

  // ---- What the phone remembers. Storage may be refused: then nothing is kept, and all else goes on. ----

  var memory = {
    read: function (name) {
      try {
        var stored = JSON.parse(localStorage.getItem("jiayuan:" + name));
        return stored && Date.now() - stored.at < DAY ? stored : null;
      } catch (refused) {
        return null;
      }
    },
    write: function (name, value) {
      try {
        value.at = Date.now();
        localStorage.setItem("jiayuan:" + name, JSON.stringify(value));
        return true;
      } catch (refused) {
        return false;
      }
    },
    forget: function (name) {
      try {
        localStorage.removeItem("jiayuan:" + name);
      } catch (refused) {
        // Nothing was kept.
      }
    },
    forgetOld: function () {
      try {
        Object.keys(localStorage).forEach(function (key) {
          var name = key.replace(/^jiayuan:/, "");
          if (name !== key && name !== "print" && !memory.read(name)) {
            memory.forget(name);
          }
        });
      } catch (refused) {
        // Nothing was kept.
      }
    }
  };

  // ---- Large print: the address may ask for it; otherwise it is as it was left on this phone. ----

  function rememberedPrint() {
    try {
      return localStorage.getItem("jiayuan:print");
    } catch (refused) {
      return null;
    }
  }

  function rememberPrint(size) {
    try {
      localStorage.setItem("jiayuan:print", size);
      return localStorage.getItem("jiayuan:print") === size;
    } catch (refused) {
      return false;
    }
  }

  function printIn(size) {
    root.classList[size === "large" ? "add" : "remove"]("large");
  }

  function startPrint() {
    var asked = PRINT_ASKED.exec(location.search);
    if (asked) {
      rememberPrint(asked[1]);
    }
    printIn(asked ? asked[1] : rememberedPrint());
  }

  function switchPrint(event, size) {
    // An address that asks for a size asks for it again on every page that it leads to: then the address changes too.
    if (rememberPrint(size) && !PRINT_ASKED.test(location.search)) {
      event.preventDefault();
      printIn(size);
      one(size === "large" ? ".switch-standard" : ".switch-large").focus();
    }
  }

  // ---- The values of a form ----

  function controlsOf(form) {
    return all("input, select, textarea", form).filter(function (control) {
      return control.name && control.type !== "file";
    });
  }

  function isChoice(control) {
    return control.type === "radio" || control.type === "checkbox";
  }

  function valuesOf(controls) {
    return controls.filter(function (control) {
      return isChoice(control) ? control.checked : control.value;
    }).map(function (control) {
      return [control.name, control.value];
    });
  }

  function fill(controls, values) {
    controls.forEach(function (control) {
      var given = values.filter(function (pair) {
        return pair[0] === control.name;
      });
      if (isChoice(control)) {
        control.checked = given.some(function (pair) {
          return pair[1] === control.value;
        });
      } else if (given.length) {
        control.value = given[0][1];
      }
    });
  }

  // ---- A draft of a form, until it is acknowledged or a day has passed. It keeps the form's key as well: what is
  // sent again from a draft is known to the site as the same form. data-private keeps a field out of it. ----

  function keepDraft(form) {
    var name = form.getAttribute("data-form");

    function controls() {
      return controlsOf(form).filter(function (control) {
        return !control.hasAttribute("data-private");
      });
    }

    function save() {
      var isKept = memory.write(name, {values: valuesOf(controls())});
      setHidden(one("[data-kept]", form), !isKept);
      return isKept;
    }

    var stored = memory.read(name);
    if (form.hasAttribute("data-answered")) {
      save();
    } else if (stored) {
      fill(controls(), stored.values);
      setHidden(one("[data-kept]", form), false);
      setHidden(one("[data-restored]", form), false);
    } else {
      setHidden(one("[data-sent-before]", form), !memory.read("sent:" + name));
    }
    form.addEventListener("input", save);
    form.addEventListener("change", save);
    all("[data-clear]", form).forEach(function (button) {
      button.addEventListener("click", function () {
        if (window.confirm(button.getAttribute("data-clear"))) {
          memory.forget(name);
          location.replace(location.pathname + location.search);
        }
      });
    });
    return {
      save: save,
      finish: function () {
        finishDraft(name);
      }
    };
  }

  // For a form that only asks what to do with the answers of another, whose name it bears: their draft stays until it
  // is acknowledged.
  function leaveDraft(form) {
    var name = form.getAttribute("data-form");
    return {
      save: function () {
        return !!memory.read(name);
      },
      finish: function () {
        finishDraft(name);
      }
    };
  }

  function finishDraft(name) {
    memory.forget(name);
    memory.write("sent:" + name, {});
  }

  // ---- Questions that do not concern this resident are hidden, as the site would leave out their answers. ----

  function followConditions(form) {
    var conditional = all("[data-show-if]", form);

    function isChosen(question, codes) {
      var field = document.getElementById(question);
      return !field.hidden && codes.some(function (code) {
        return !!one('input[value="' + code + '"]:checked', field);
      });
    }

    function update() {
      // In the order of the page: a condition looks at questions before it.
      conditional.forEach(function (field) {
        var conditions = JSON.parse(field.getAttribute("data-show-if"));
        field.hidden = !Object.keys(conditions).every(function (question) {
          return isChosen(question, conditions[question]);
        });
      });
    }

    form.addEventListener("change", update);
    update();
  }

  // ---- Fields: one question each, with an id and data-name for the overview. They are marked data-field, its value
  // the message where an answer is required and none is given. ----

  function fieldsOf(step) {
    return all("[data-field]", step).filter(function (field) {
      return !field.hidden;
    });
  }

  function isAnswered(field) {
    return all("input, select, textarea", field).some(function (control) {
      return isChoice(control) ? control.checked : control.value.trim();
    });
  }

  function isMissing(field) {
    return field.getAttribute("data-field") && !isAnswered(field);
  }

  function markMissing(field) {
    var id = field.id + "-fault";
    if (!document.getElementById(id)) {
      var message = add(field, "p", field.getAttribute("data-field"), "fault");
      message.id = id;
      field.insertBefore(message, one("legend, label", field).nextSibling);
      field.setAttribute("aria-describedby", id);
      field.classList.add("faulty");
    }
    focusOn(field);
  }

  function unmarkAnswered(event) {
    var field = event.target.closest("[data-field]");
    var message = field && document.getElementById(field.id + "-fault");
    if (message && isAnswered(field)) {
      message.parentNode.removeChild(message);
      field.classList.remove("faulty");
      field.removeAttribute("aria-describedby");
    }
  }

  function answersIn(field) {
    return all("input, select, textarea", field).map(function (control) {
      if (isChoice(control)) {
        return control.checked ? control.closest("label").textContent.trim() : "";
      }
      if (control.type === "file") {
        return control.files.length ? "× " + control.files.length : "";
      }
      return control.options ? control.value && control.options[control.selectedIndex].text : control.value.trim();
    }).filter(Boolean);
  }

  function focusOn(element) {
    var target = element.matches("[data-field]") ? one("input, select, textarea", element) : element;
    if (target === element) {
      target.setAttribute("tabindex", "-1");
    }
    target.focus();
    if (element.scrollIntoView) {
      element.scrollIntoView();
    }
  }

  // ---- One step at a time. The address says which: the back button of the phone goes a step back. ----

  function makeSteps(form) {
    var steps = all("[data-step]", form);
    var review = one("[data-review]", form);
    var progress = one("[data-progress]", form);
    var trail = [];
    var current = null;
    var isReviewed = false;

    function following(step, direction) {
      var index = steps.indexOf(step) + direction;
      while (steps[index] && steps[index] !== review && !fieldsOf(steps[index]).length) {
        index += direction;
      }
      return steps[index];
    }

    function show(step) {
      var isFirst = !following(step, -1);
      steps.forEach(function (other) {
        other.hidden = other !== step;
      });
      all("[data-intro]", form).forEach(function (part) {
        part.hidden = !isFirst;
      });
      form.classList[isFirst ? "remove" : "add"]("begun");
      isReviewed = isReviewed || step === review;
      setHidden(one("[data-last]", form), step !== review);
      setHidden(one("[data-next]", form), step === review);
      setHidden(one("[data-back]", form), isFirst);
      setHidden(one("[data-to-review]", form), !isReviewed || step === review);
      if (step === review) {
        listAnswers();
      }
      showProgress(step);
      current = step;
    }

    function showProgress(step) {
      var visible = steps.filter(function (other) {
        return other === review || fieldsOf(other).length;
      });
      var number = visible.indexOf(step) + 1;
      one("span", progress).textContent = progress.getAttribute("data-progress")
        .replace("{step}", number).replace("{steps}", visible.length);
      one("progress", progress).value = number / visible.length;
      progress.hidden = false;
    }

    function listAnswers() {
      var list = one("dl", review);
      list.textContent = "";
      fieldsOf(form).forEach(function (field) {
        var name = field.getAttribute("data-name");
        var answers = answersIn(field);
        add(list, "dt", name);
        var answer = add(list, "dd", "");
        add(answer, "span", answers.join(" / ") || review.getAttribute("data-review"), answers.length ? "" : "none");
        var change = add(answer, "a", review.getAttribute("data-change"));
        change.href = "#" + field.id;
        add(change, "span", " " + name, "unseen");
      });
    }

    // Follows the address: the id of a step, or of something in it.
    function follow() {
      var named = document.getElementById(location.hash.slice(1));
      var step = location.hash ? named && named.closest("[data-step]") : steps[0];
      if (!root.contains(form) || !step) {
        return;
      }
      if (trail[trail.length - 2] === location.hash) {
        trail.pop();
      } else {
        trail.push(location.hash);
      }
      show(step);
      focusOn(named && named !== step ? named : one("h2", step));
      if (!named || named === step) {
        window.scrollTo(0, 0);
      }
    }

    function go(step) {
      location.hash = step.id;
    }

    function isComplete(step) {
      var missing = fieldsOf(step).filter(isMissing)[0];
      if (missing) {
        if (current !== missing.closest("[data-step]")) {
          go(missing);
        }
        markMissing(missing);
      }
      return !missing;
    }

    function next() {
      if (isComplete(current)) {
        go(following(current, 1));
      }
    }

    function back() {
      var before = following(current, -1);
      var earlier = trail[trail.length - 2];
      if (earlier === "#" + before.id || (earlier === "" && before === steps[0])) {
        history.back();
      } else {
        go(before);
      }
    }

    one("[data-next]", form).addEventListener("click", next);
    one("[data-back]", form).addEventListener("click", back);
    one("[data-to-review]", form).addEventListener("click", function () {
      if (isComplete(current)) {
        go(review);
      }
    });
    form.addEventListener("submit", function (event) {
      if (form.isSwitching) {
        return;
      }
      if (current !== review) {
        // Enter in a field.
        event.preventDefault();
        event.stopImmediatePropagation();
        next();
      } else if (!isComplete(form)) {
        event.preventDefault();
        event.stopImmediatePropagation();
      }
    });
    window.addEventListener("hashchange", follow);

    var fault = one(".faulty", form);
    var named = document.getElementById(location.hash.slice(1) || "-");
    var start = fault || (named && form.contains(named) ? named : steps[0]);
    if (fault) {
      history.replaceState(null, "", "#" + fault.closest("[data-step]").id);
    }
    one("[data-steps-buttons]", form).hidden = false;
    trail.push(location.hash);
    show(start.closest("[data-step]") || steps[0]);
  }

  // ---- Sending until the site has acknowledged: only a page marked data-acknowledged says so. ----

  function sendUntilAcknowledged(form, draft) {
    var timer = null;
    var request = null;
    var tries = 0;

    function say(state) {
      all("[data-when]", form).forEach(function (part) {
        part.hidden = part.getAttribute("data-when").split(" ").indexOf(state) < 0;
      });
    }

    function body() {
      if (form.enctype !== "multipart/form-data") {
        return valuesOf(controlsOf(form)).map(function (pair) {
          return pair.map(encodeURIComponent).join("=");
        }).join("&");
      }
      // iOS 11 never sends a form with an empty file in it.
      var empty = all("input[type=file]", form).filter(function (input) {
        return !input.files.length && !input.disabled;
      });
      empty.forEach(function (input) {
        input.disabled = true;
      });
      var data = new FormData(form);
      empty.forEach(function (input) {
        input.disabled = false;
      });
      form.dispatchEvent(new CustomEvent("collect", {detail: data}));
      return data;
    }

    function send() {
      clearTimeout(timer);
      if (request || !root.contains(form)) {
        return;
      }
      var isKept = draft.save();
      say("sending");
      request = new XMLHttpRequest();
      request.open("POST", form.action);
      request.timeout = TIMEOUT;
      if (form.enctype !== "multipart/form-data") {
        request.setRequestHeader("Content-Type", "application/x-www-form-urlencoded");
      }
      request.onload = function () {
        receive(request, isKept);
      };
      request.onerror = request.ontimeout = function () {
        wait(isKept, 0);
      };
      request.send(body());
    }

    function receive(answer, isKept) {
      var page = new DOMParser().parseFromString(answer.responseText, "text/html");
      if (answer.status >= 500 || answer.status === 429 || !page.getElementById("main")) {
        wait(isKept, Number(answer.getResponseHeader("Retry-After")) || 0);
      } else if (answer.status === 200 && one("[data-acknowledged]", page)) {
        draft.finish();
        showPage(page);
        history.replaceState(null, "", answer.responseURL);
        // The steps are still in the history: going back there is to begin anew.
        window.addEventListener("popstate", function () {
          location.reload();
        });
      } else {
        showPage(page);
      }
    }

    // Twice as long each time, and a little by chance: a thousand phones must not come back at one moment.
    function wait(isKept, leastSeconds) {
      request = null;
      tries += 1;
      var seconds = Math.max(leastSeconds, Math.min(LONGEST_WAIT, Math.pow(2, tries)));
      timer = setTimeout(send, seconds * 1000 * (1 + Math.random() / 4));
      say(isKept ? "kept" : "unkept");
    }

    // Whoever goes back to change an answer decides anew when to send.
    function stop() {
      clearTimeout(timer);
      if (!request) {
        say("ready");
      }
    }

    form.addEventListener("submit", function (event) {
      if (!form.isSwitching) {
        event.preventDefault();
        send();
      }
    });
    one("[data-try]", form).addEventListener("click", send);
    window.addEventListener("hashchange", stop);
    window.addEventListener("online", function () {
      if (one("[data-try]", form).hidden === false) {
        send();
      }
    });
  }

  function showPage(page) {
    document.title = page.title;
    root.replaceChild(document.importNode(page.body, true), document.body);
    window.scrollTo(0, 0);
    enhance();
    focusOn(one(".summary") || one("h1"));
  }

  // ---- The switches of the header send the form, so that nothing is lost without JavaScript; with a draft on the
  // phone a plain visit does. ----

  function isEasilyRestored(form) {
    var name = form.getAttribute("data-form");
    var typed = controlsOf(form).filter(function (control) {
      return control.type !== "hidden";
    });
    var hasPhotos = all("input[type=file]", form).some(function (input) {
      return input.files.length;
    });
    return !!name && !hasPhotos && (!!memory.read(name) || !valuesOf(typed).length);
  }

  function pressSwitch(event) {
    var pressed = event.target.closest(".switch-large, .switch-standard, .switch-language");
    if (!pressed) {
      return;
    }
    if (pressed.className !== "switch-language") {
      switchPrint(event, pressed.className.slice("switch-".length));
    }
    var form = pressed.form;
    if (form && !event.defaultPrevented) {
      form.isSwitching = !isEasilyRestored(form);
      if (!form.isSwitching) {
        event.preventDefault();
        location.href = pressed.getAttribute("formaction") + location.hash;
      }
    }
  }

  // ---- Numbers and links are copied by a tap, in the way that old browsers and plain HTTP know too. ----

  function copy(event) {
    var button = event.target.closest("[data-copy]");
    if (!button) {
      return;
    }
    var field = add(button.parentNode, "textarea", button.getAttribute("data-copy"), "unseen");
    field.select();
    field.setSelectionRange(0, field.value.length);
    if (document.execCommand("copy")) {
      button.textContent = button.getAttribute("data-done");
    }
    button.parentNode.removeChild(field);
    button.focus();
  }

  function enhance() {
    all("[data-copy]").forEach(function (button) {
      button.hidden = false;
    });
    all("form[data-form]").forEach(function (form) {
      var draft = form.hasAttribute("data-no-draft") ? leaveDraft(form) : keepDraft(form);
      form.addEventListener("change", unmarkAnswered);
      followConditions(form);
      if (one("[data-review]", form)) {
        makeSteps(form);
      }
      sendUntilAcknowledged(form, draft);
    });
  }

  root.classList.add("js");
  startPrint();
  memory.forgetOld();
  document.addEventListener("click", pressSwitch);
  document.addEventListener("click", copy);
  enhance();
})();
