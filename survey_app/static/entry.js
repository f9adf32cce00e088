// Typing in with one hand: Enter goes to the next field, and so does a code that is complete. ES5.
(function () {
  "use strict";
  var form = document.querySelector("[data-typing]");
  if (!form) {
    return;
  }

  function fields() {
    return Array.prototype.slice.call(form.querySelectorAll("input:not([type=hidden]), textarea, button"));
  }

  function goOn(field) {
    var all = fields();
    var next = all[all.indexOf(field) + 1];
    if (next) {
      next.focus();
      if (next.select) {
        next.select();
      }
    }
  }

  // A Chinese keyboard may type digits in full width; the server reads both.
  function typedCode(field) {
    return field.value.trim().replace(/[\uff10-\uff19]/g, function (digit) {
      return String.fromCharCode(digit.charCodeAt(0) - 0xfee0);
    });
  }

  // Says beside a field that its code does not exist, and returns whether it is so.
  function isUnknown(field) {
    var codes = field.getAttribute("data-codes");
    if (!codes) {
      return false;
    }
    var code = typedCode(field);
    var unknown = code !== "" && codes.split(" ").indexOf(code) < 0;
    var line = field.parentNode;
    var said = line.querySelector("[data-unknown-code]");
    if (unknown && !said) {
      said = document.createElement("p");
      said.className = "fault";
      said.id = field.id + "-unknown";
      said.setAttribute("role", "alert");
      said.setAttribute("data-unknown-code", "");
      said.textContent = form.getAttribute("data-unknown") + " " + codes;
      line.appendChild(said);
      line.classList.add("faulty");
      field.setAttribute("aria-invalid", "true");
      field.setAttribute("aria-describedby", said.id);
    } else if (!unknown && said) {
      line.removeChild(said);
      line.classList.remove("faulty");
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
    }
    return unknown;
  }

  function goOnIfKnown(field) {
    if (isUnknown(field)) {
      field.select();
    } else {
      goOn(field);
    }
  }

  form.addEventListener("keydown", function (event) {
    var name = event.target.nodeName;
    if (event.key === "Enter" && !event.isComposing && name === "INPUT") {
      event.preventDefault();
      goOnIfKnown(event.target);
    }
  });

  form.addEventListener("input", function (event) {
    var longest = Number(event.target.getAttribute("data-longest"));
    if (longest && !event.isComposing && event.target.value.length >= longest) {
      goOnIfKnown(event.target);
    }
  });

  form.addEventListener("change", function (event) {
    isUnknown(event.target);
  });

  // The first field is focused only now: typed before, Enter would send the form.
  fields()[0].focus();
})();
