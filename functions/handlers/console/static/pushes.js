// The pushes of the campaign form: languages in tabs, what each lacks, and changes in place.
(() => {
  "use strict";
  const form = document.getElementById("campaign-form");
  if (!form) return;
  const byId = (id) => document.getElementById(id);
  const named = (start) => [...form.elements].filter((each) => each.name.startsWith(start));

  function choose(tab) {
    const group = tab.closest("[data-tabs]");
    for (const each of group.querySelectorAll("[role=tab]")) {
      const chosen = each === tab;
      each.setAttribute("aria-selected", String(chosen));
      each.tabIndex = chosen ? 0 : -1;
      byId(each.getAttribute("aria-controls")).classList.toggle("current", chosen);
    }
    form.elements.namedItem(group.dataset.tabs).value = tab.dataset.tag;
  }

  // Show a field that is folded away, or in another language.
  function reveal(element) {
    for (let each = element; each && each !== form; each = each.parentElement) {
      if (each.matches("details")) each.open = true;
      if (each.matches("[role=tabpanel]")) choose(byId(each.getAttribute("aria-labelledby")));
    }
    element.scrollIntoView({ block: "center" });
    const field = element.matches("fieldset") ? element.querySelector("input:not([type=hidden]), button") : element;
    (field || element).focus({ preventScroll: true });
  }

  const filled = (name) => form.elements.namedItem(name)?.value.trim();
  const buttons = (name) => named(`${name}.buttons[`).filter((each) => each.name.endsWith(".title")).length;
  function sayMissing() {
    for (const place of form.querySelectorAll("[data-missing]")) {
      const name = place.dataset.missing;
      const missing = ["title", "body"].filter((text) => !filled(`${name}.${text}`));
      if (buttons(name.split(".")[0]) > buttons(name)) missing.push("buttons");
      const words = missing.map((each) => `no ${each}`).join(", ");
      if (place.textContent !== words) place.textContent = words;
    }
  }

  const STEPS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
  form.addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (target.matches("[role=tab]") && key in STEPS) {
      const tabs = [...target.parentElement.querySelectorAll("[role=tab]")];
      const to = Math.min(Math.max(tabs.indexOf(target) + STEPS[key], 0), tabs.length - 1);
      choose(tabs[to]);
      tabs[to].focus();
      event.preventDefault();
    } else if (target.dataset.enter && key === "Enter") {
      byId(target.dataset.enter).click();
      event.preventDefault();
    }
  });
  document.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) choose(tab);
    const link = event.target.closest(".summary a[href^='#']");
    const field = link && byId(decodeURIComponent(link.hash.slice(1)));
    if (!field) return;
    event.preventDefault();
    reveal(field);
  });
  form.addEventListener("input", sayMissing);
  // A part that a person opened stays open when the pushes are replaced.
  form.addEventListener("toggle", ({ target }) => {
    const state = target.dataset.open && form.elements.namedItem(target.dataset.open);
    if (state) state.value = target.open ? "yes" : "";
  }, true);

  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    if (detail.target.id === "pushes") byId("pushes").dispatchEvent(new Event("input", { bubbles: true }));
  });
  for (const failed of ["htmx:responseError", "htmx:sendError"]) {
    form.addEventListener(failed, ({ detail }) => {
      if (detail.target?.id === "pushes") byId("unsaved").textContent = "That didn't work. Nothing is lost: try again, or reload the page.";
    });
  }
})();
