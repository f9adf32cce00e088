// What JavaScript adds to the control for photos, which works without it: what was chosen is shown and can be taken away,
// and a photo is made as small on the phone as the site would keep it. Where a canvas would forget how the phone was held, and on any failure, the file is sent as it is, and
// the site turns it and makes it small.
// It runs on browsers as old as Chrome 61 and iOS 11: ES5 only.
(function () {
  "use strict";

  var LONGEST_SIDE = 1280;
  var QUALITY = 0.8;

  function all(selector, within) {
    return [].slice.call(within.querySelectorAll(selector));
  }

  function one(selector, within) {
    return within.querySelector(selector);
  }

  function keepsUpright() {
    return !!(window.CSS && CSS.supports && CSS.supports("image-orientation", "from-image"));
  }

  function shrink(file, done) {
    var image = new Image();
    // As a data address: the site's policy lets pages show nothing else.
    var reader = new FileReader();
    image.onload = function () {
      var scale = Math.min(1, LONGEST_SIDE / Math.max(image.width, image.height));
      var canvas = document.createElement("canvas");
      canvas.width = Math.round(image.width * scale);
      canvas.height = Math.round(image.height * scale);
      var context = canvas.getContext("2d");
      context.fillStyle = "#fff";
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob(done, "image/jpeg", QUALITY);
    };
    image.onerror = function () {
      done(null);
    };
    reader.onload = function () {
      image.src = reader.result;
    };
    reader.readAsDataURL(file);
  }

  function add(parent, tag, text) {
    var element = document.createElement(tag);
    element.textContent = text;
    return parent.appendChild(element);
  }

  function preview(chosen, previews, words, remove) {
    var row = add(previews, "div", "");
    var reader = new FileReader();
    var image = new Image();
    row.className = "photo";
    image.alt = words.alt;
    image.onload = function () {
      row.insertBefore(image, row.firstChild);
    };
    image.onerror = function () {
      // A kind that this phone cannot show may still be one that the site takes.
      row.insertBefore(document.createTextNode(chosen.file.name), row.firstChild);
    };
    reader.onload = function () {
      image.src = reader.result;
    };
    if (chosen.isReady) {
      reader.readAsDataURL(chosen.blob || chosen.file);
    }
    var button = add(row, "button", words.remove);
    button.type = "button";
    button.className = "danger";
    button.addEventListener("click", remove);
  }

  // One control takes photos one by one or several at once: what was chosen before stays.
  function gatherPhotos(input, form) {
    var chosen = [];
    var room = Number(input.getAttribute("data-photo"));
    var before = Number(input.getAttribute("data-number"));
    var previews = one("[data-previews='" + input.id + "']", form);

    function words(name, index) {
      return input.getAttribute("data-" + name).replace("{number}", before + index + 1);
    }

    function show() {
      previews.textContent = "";
      chosen.forEach(function (photo, index) {
        var said = {alt: words("alt", index), remove: words("remove", index)};
        preview(photo, previews, said, function () {
          chosen.splice(index, 1);
          hold();
          show();
          input.focus();
          input.dispatchEvent(new CustomEvent("input", {bubbles: true}));
        });
      });
      input.parentNode.hidden = chosen.length >= room;
      input.setAttribute("data-small", chosen.filter(function (photo) {
        return photo.blob;
      }).length);
    }

    // Without JavaScript’s sending, as when the language is switched, the browser sends what the input holds.
    function hold() {
      try {
        var transfer = new DataTransfer();
        chosen.forEach(function (photo) {
          transfer.items.add(photo.file);
        });
        input.files = transfer.files;
      } catch (refused) {
        // An old browser sends what was chosen last.
      }
    }

    function take(file) {
      var photo = {file: file, blob: null, isReady: !keepsUpright()};
      chosen.push(photo);
      if (!photo.isReady) {
        shrink(file, function (blob) {
          photo.isReady = true;
          photo.blob = blob && blob.size < file.size ? blob : null;
          show();
        });
      }
    }

    input.addEventListener("change", function () {
      [].slice.call(input.files).forEach(function (file) {
        if (chosen.length < room) {
          take(file);
        }
      });
      hold();
      show();
    });
    form.addEventListener("collect", function (event) {
      event.detail.delete(input.name);
      chosen.forEach(function (photo) {
        event.detail.append(input.name, photo.blob || photo.file, photo.blob ? "photo.jpg" : photo.file.name);
      });
    });
  }

  function gatherAll(form) {
    all("[data-photo]", form).forEach(function (input) {
      gatherPhotos(input, form);
    });
  }

  function enhance() {
    all("form", document).forEach(gatherAll);
  }

  enhance();
  // form.js shows the answer to a form in place of the page that sent it.
  new MutationObserver(enhance).observe(document.documentElement, {childList: true});
})();
