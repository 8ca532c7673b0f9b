// The schedule in the campaign form: native pickers, the list of time zones, and the visitor's own zone.
// Without it, people type days, times and cities.
(() => {
  "use strict";
  function set(input, value) {
    input.value = value;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // Native pickers write into the field beside them.
  for (const button of document.querySelectorAll("[data-picks]")) {
    const native = document.createElement("input");
    native.type = button.dataset.kind;
    native.className = "native";
    native.tabIndex = -1;
    native.setAttribute("aria-hidden", "true");
    if (!native.showPicker) continue;
    const input = document.getElementById(button.dataset.picks);
    native.addEventListener("change", (event) => {
      event.stopPropagation();
      if (native.value) set(input, native.value);
    });
    native.addEventListener("input", (event) => event.stopPropagation());
    button.after(native);
    button.hidden = false;
    button.addEventListener("click", () => {
      native.value = input.value;
      native.showPicker();
    });
  }

  const zone = document.getElementById("schedule.timezone");
  const list = document.getElementById("zone-list");
  if (!zone || !list) return;

  // A combobox: w3.org/WAI/ARIA/apg/patterns/combobox.
  let active = -1;
  zone.setAttribute("role", "combobox");
  zone.setAttribute("aria-autocomplete", "list");
  zone.setAttribute("aria-controls", list.id);
  const options = () => [...list.querySelectorAll("[role=option]")];
  function show(open) {
    list.hidden = !open;
    zone.setAttribute("aria-expanded", String(open));
    if (!open) mark(-1);
  }
  function mark(place) {
    active = place;
    for (const [index, option] of options().entries()) option.setAttribute("aria-selected", String(index === place));
    const chosen = options()[place];
    if (chosen) {
      zone.setAttribute("aria-activedescendant", chosen.id);
      chosen.scrollIntoView({ block: "nearest" });
    } else zone.removeAttribute("aria-activedescendant");
  }
  function choose(option) {
    set(zone, option.dataset.zone);
    show(false);
  }
  show(false);
  list.addEventListener("htmx:afterSwap", () => {
    if (document.activeElement === zone && zone.value !== zone.dataset.shown) show(true);
    mark(-1);
  });
  zone.addEventListener("focus", () => {
    zone.dataset.shown = zone.value;
    zone.select();
  });
  zone.addEventListener("blur", () => show(false));
  list.addEventListener("pointerdown", (event) => {
    event.preventDefault(); // the field keeps the focus
    const option = event.target.closest("[role=option]");
    if (option) choose(option);
  });
  zone.addEventListener("keydown", (event) => {
    const count = options().length;
    if (event.key === "ArrowDown" && count) {
      show(true);
      mark((active + 1) % count);
    } else if (event.key === "ArrowUp" && count) {
      show(true);
      mark((active - 1 + count) % count);
    } else if (event.key === "Enter" && !list.hidden && options()[active]) choose(options()[active]);
    else if (event.key === "Escape" && !list.hidden) show(false);
    else return;
    event.preventDefault();
  });

  // A new campaign begins with the visitor's zone.
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ("ownZone" in zone.dataset && own && own !== zone.value) {
    zone.value = own;
    window.addEventListener("load", () => zone.dispatchEvent(new Event("change", { bubbles: true })));
  }
})();
