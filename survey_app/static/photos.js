// What JavaScript adds to fields for photos, which work without it: a photo is made as small on the phone as the site
// would keep it. Where a canvas would forget how the phone was held, and on any failure, the file is sent as it is, and
// the site turns it and makes it small.
// It runs on browsers as old as Chrome 61 and iOS 11: ES5 only.
(function () {
  "use strict";

  var LONGEST_SIDE = 1280;
  var QUALITY = 0.8;

  function all(selector, within) {
    return [].slice.call(within.querySelectorAll(selector));
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
    reader.onload = function () {
      image.src = reader.result;
    };
    reader.readAsDataURL(file);
  }

  function shrinkPhotos(form) {
    var small = {};

    all("[data-photo]", form).forEach(function (input) {
      input.addEventListener("change", function () {
        var file = input.files[0];
        delete small[input.id];
        input.removeAttribute("data-small");
        if (file && keepsUpright()) {
          shrink(file, function (blob) {
            if (blob && blob.size < file.size && input.files[0] === file) {
              small[input.id] = blob;
              input.setAttribute("data-small", blob.size);
            }
          });
        }
      });
    });
    form.addEventListener("collect", function (event) {
      var chosen = all("[data-photo]", form).filter(function (input) {
        return input.files.length;
      });
      if (Object.keys(small).length) {
        // Several fields may share a name: all of them are taken out, and put in again in their order.
        chosen.forEach(function (input) {
          event.detail.delete(input.name);
        });
        chosen.forEach(function (input) {
          var blob = small[input.id];
          event.detail.append(input.name, blob || input.files[0], blob ? "photo.jpg" : input.files[0].name);
        });
      }
    });
  }

  function enhance() {
    all("form", document).forEach(shrinkPhotos);
  }

  enhance();
  // form.js shows the answer to a form in place of the page that sent it.
  new MutationObserver(enhance).observe(document.documentElement, {childList: true});
})();
