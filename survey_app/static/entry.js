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

  form.addEventListener("keydown", function (event) {
    var name = event.target.nodeName;
    if (event.key === "Enter" && !event.isComposing && name === "INPUT") {
      event.preventDefault();
      goOn(event.target);
    }
  });

  form.addEventListener("input", function (event) {
    var longest = Number(event.target.getAttribute("data-longest"));
    if (longest && !event.isComposing && event.target.value.length >= longest) {
      goOn(event.target);
    }
  });

  // The first field is focused only now: typed before, Enter would send the form.
  fields()[0].focus();
})();
