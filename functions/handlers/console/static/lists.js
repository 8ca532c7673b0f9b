// The lists: opens the filters on wide screens, where they do not fold.
(() => {
  "use strict";
  const wide = window.matchMedia("(min-width: 761px)");
  const folds = document.querySelectorAll("details.fold");
  const asked = [...folds].map((each) => each.open);
  function fit() {
    folds.forEach((each, place) => {
      each.open = wide.matches || asked[place];
    });
  }
  wide.addEventListener("change", fit);
  fit();
})();
