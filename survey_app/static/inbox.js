// Asks every minute whether a matter of safety waits to be accepted, and sounds when there are more than before.
(function () {
  "use strict";
  var shown = document.getElementById("urgent");
  if (!shown || !window.XMLHttpRequest) { return; }
  var waiting = Number(shown.getAttribute("data-waiting"));

  function sound() {
    var Context = window.AudioContext || window.webkitAudioContext;
    if (!Context) { return; }
    var context = new Context(), tone = context.createOscillator(), volume = context.createGain();
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

  if (waiting) { sound(); }
  setTimeout(look, 60000);
})();
