// Shows how far background work is and, when it has ended, the page that says how. Without it the page loads itself again.
(function () {
  "use strict";
  var shown = document.getElementById("following");
  if (!shown) { return; }

  function wait() { setTimeout(look, 1000); }

  function look() {
    var request = new XMLHttpRequest();
    request.onload = function () {
      var next = new DOMParser().parseFromString(request.responseText, "text/html").getElementById("following");
      // What is shown instead of it, the end of the work or of the session, is a page of its own.
      if (!next) { location.reload(); return; }
      show(next);
      wait();
    };
    request.onerror = wait;
    request.open("GET", location.href);
    request.send();
  }

  function show(next) {
    var said = shown.querySelector("[role=status]"), saying = next.querySelector("[role=status]").textContent;
    if (shown.children.length !== next.children.length) { shown.innerHTML = next.innerHTML; return; }
    // Said aloud only when it changes.
    if (said.textContent !== saying) { said.textContent = saying; }
    shown.querySelector(".muted").textContent = next.querySelector(".muted").textContent;
    shown.querySelector("progress").value = next.querySelector("progress").value;
  }

  wait();
})();
