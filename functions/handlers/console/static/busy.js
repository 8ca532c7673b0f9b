// A pressed button shows at once that something happens: it is busy until the answer is there. Its `data-busy` says
// what happens meanwhile.
(() => {
  "use strict";
  const pressed = new Map();

  function begin(button) {
    if (!button || pressed.has(button)) return;
    pressed.set(button, button.textContent);
    button.setAttribute("aria-busy", "true");
    if (button.dataset.busy) button.textContent = button.dataset.busy;
  }
  function end(button) {
    if (!pressed.has(button)) return;
    if (button.dataset.busy) button.textContent = pressed.get(button);
    button.removeAttribute("aria-busy");
    pressed.delete(button);
  }
  function buttonOf({ elt, requestConfig }) {
    const event = requestConfig?.triggeringEvent;
    const found = event?.submitter ?? elt;
    return found.matches?.("button, a[role=button]") ? found : null;
  }

  document.addEventListener("submit", (event) => {
    if (!event.defaultPrevented) begin(event.submitter);
  });
  document.addEventListener("htmx:beforeSend", (event) => begin(buttonOf(event.detail)));
  document.addEventListener("htmx:afterRequest", (event) => end(buttonOf(event.detail)));
  window.addEventListener("pageshow", () => [...pressed.keys()].forEach(end));
})();
