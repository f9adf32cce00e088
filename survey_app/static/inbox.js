// Chooses all cases of a page with one box. Asks every minute whether a matter of safety waits to be accepted, and
// sounds when there are more than before; a page that nobody has touched yet may not sound, it does so at the first touch.
(function () {
  "use strict";
  var all = document.getElementById("pick-all");
  if (!all) { return; }
  all.parentNode.hidden = false;
  all.addEventListener("change", function () {
    Array.prototype.forEach.call(document.querySelectorAll("input[name=case]"), function (box) {
      box.checked = all.checked;
    });
  });
})();
(function () {
  "use strict";
  var shown = document.getElementById("urgent");
  if (!shown || !window.XMLHttpRequest) { return; }
  var waiting = Number(shown.getAttribute("data-waiting")), context = null, isOwed = waiting > 0;

  function allow() {
    // By name, since an old browser has the second one or none.
    var Context = window[["AudioContext", "webkitAudioContext"].filter(function (name) { return name in window; })[0]];
    if (context || !Context) { return; }
    context = new Context();
    if (isOwed) { sound(); }
  }

  function sound() {
    isOwed = !context;
    if (!context) { return; }
    var tone = context.createOscillator(), volume = context.createGain();
    tone.frequency.value = 880;
    volume.gain.value = 0.2;
    tone.connect(volume);
    volume.connect(context.destination);
    tone.start();
    tone.stop(context.currentTime + 0.6);
  }

  function look() {
    var request = new XMLHttpRequest();
    request.onload = function () {
      if (request.status === 200) {
        var now = JSON.parse(request.responseText);
        shown.hidden = !now.waiting;
        shown.querySelector("strong").textContent = now.words;
        if (now.waiting > waiting) { sound(); }
        waiting = now.waiting;
      }
      setTimeout(look, 60000);
    };
    request.onerror = function () { setTimeout(look, 60000); };
    request.open("GET", shown.getAttribute("data-address"));
    request.send();
  }

  document.addEventListener("click", allow);
  document.addEventListener("keydown", allow);
  setTimeout(look, 60000);
})();
