// The images of pushes on phones. They are shown once their address is written, not while it is typed. One that cannot
// be loaded stays a link.
(() => {
  "use strict";
  const writes = (element) => element?.matches?.("[name$='.image'], [name='image']");
  function show() {
    if (writes(document.activeElement)) return;
    for (const place of document.querySelectorAll("[data-image]:not(.loaded)")) {
      const image = new Image();
      image.alt = place.textContent.trim();
      image.addEventListener("load", () => {
        place.replaceChildren(image);
        place.classList.add("loaded");
      });
      image.src = place.dataset.image;
    }
  }
  document.addEventListener("focusout", ({ target }) => {
    if (writes(target)) window.setTimeout(show);
  });
  document.addEventListener("htmx:afterSettle", show);
  show();
})();
