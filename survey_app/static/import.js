// Chooses the file of a list again that the page has asked something about; browsers empty the field on every page.
(function () {
  "use strict";
  var kept = document.getElementById("kept-file");
  if (!kept || !window.DataTransfer) { return; }

  var text = atob(kept.getAttribute("data-content"));
  var bytes = new Uint8Array(text.length);
  for (var i = 0; i < text.length; i += 1) { bytes[i] = text.charCodeAt(i); }

  var chosen = new DataTransfer();
  chosen.items.add(new File([bytes], kept.getAttribute("data-name")));
  document.getElementById("file").files = chosen.files;
  document.getElementById("choose-again").hidden = true;
  kept.hidden = false;
})();
