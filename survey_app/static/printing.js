// Shows how far a download of many files is. Without it the browser saves the same download by itself.
(function () {
  "use strict";
  if (!window.fetch || !window.ReadableStream) { return; }

  // Every file in a ZIP archive begins with these four bytes; by chance they come once in 4 GB.
  var SIGNATURE = [0x50, 0x4b, 0x03, 0x04];

  function countFiles() {
    var matched = 0, found = 0;
    return function (bytes) {
      for (var i = 0; i < bytes.length; i += 1) {
        matched = bytes[i] === SIGNATURE[matched] ? matched + 1 : Number(bytes[i] === SIGNATURE[0]);
        if (matched === SIGNATURE.length) { found += 1; matched = 0; }
      }
      return found;
    };
  }

  function show(form, text, facts) {
    var status = form.querySelector(".progress");
    var said = status.querySelector("span");
    status.hidden = false;
    said.textContent = said.getAttribute("data-" + text).replace("{number}", facts.number).replace("{total}", facts.total);
    status.querySelector("progress").max = facts.total || 1;
    status.querySelector("progress").value = facts.number || 0;
  }

  function save(pieces, name) {
    var link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(pieces, { type: "application/zip" }));
    link.download = name;
    document.body.appendChild(link);
    link.click();
    document.body.removeChild(link);
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 60000);
  }

  function take(form, answer) {
    var total = Number(answer.headers.get("X-Files"));
    var name = form.action.split("?")[0].split("/").pop();
    var count = countFiles(), pieces = [], reader = answer.body.getReader();
    function next() {
      return reader.read().then(function (part) {
        if (part.done) {
          save(pieces, name);
          show(form, "done", { number: total, total: total });
          return;
        }
        pieces.push(part.value);
        show(form, "making", { number: Math.min(count(part.value) + 1, total), total: total });
        return next();
      });
    }
    show(form, "making", { number: 1, total: total });
    return next();
  }

  function start(form) {
    var isPost = form.method === "post", fields = new FormData(form), button = form.querySelector("button");
    var address = isPost ? form.action : form.action + "?" + new URLSearchParams(fields);
    button.disabled = true;
    fetch(address, isPost ? { method: "post", body: fields } : {}).then(function (answer) {
      // A refusal stores nothing: sent again by the browser, it shows its page.
      if (!answer.ok || !answer.headers.get("X-Files")) { form.submit(); return; }
      return take(form, answer);
    }).catch(function () {
      show(form, "failed", {});
    }).then(function () {
      button.disabled = false;
    });
  }

  [].forEach.call(document.querySelectorAll("form.printing"), function (form) {
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      start(form);
    });
  });
})();
