// Hides questions that do not concern this resident; without it all are shown, each with its condition.
(function () {
  "use strict";
  var conditional = [].slice.call(document.querySelectorAll("[data-show-if]"));

  function isChosen(question, codes) {
    var field = document.getElementById(question);
    return !field.hidden && codes.some(function (code) {
      return !!field.querySelector('input[value="' + code + '"]:checked');
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

  document.documentElement.className += " js";
  document.addEventListener("change", update);
  update();
})();
