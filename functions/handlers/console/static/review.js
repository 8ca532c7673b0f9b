// Says so if the check of a review does not finish. Without scripts the page links to it.
(() => {
  "use strict";
  function failed(event) {
    if (event.target.id !== "review") return;
    event.target.removeAttribute("aria-busy");
    for (const each of event.target.querySelectorAll(".spinner, .checking > p:not(.hint)")) each.hidden = true;
    for (const each of event.target.querySelectorAll(".failed-check")) each.hidden = false;
  }
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(name, failed);
})();
