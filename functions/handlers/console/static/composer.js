// The composer: keeps the preview on the push that is being written, shows plain text at once, and puts the counters
// beside their fields. The server makes the preview itself.
(() => {
  "use strict";
  const view = document.getElementById("composed");
  if (!view) return;
  const form = view.closest("form");
  const fields = form.querySelector(".composer-fields");
  const status = form.querySelector(".composing");
  const PUSH = /^pushSequence\[(\d+)\]\.(.+)$/;
  const TEXT = /(^|\.)(title|body|subtitle|deepLink|image)$/;
  const EMOJI = /(^|\.)(title|body|subtitle)$/;
  const TOOLS = [["variable", "Insert variable", TEXT], ["emoji", "Emoji", EMOJI]];
  let shown = Number(view.querySelector('[name="view.push"]:checked')?.value ?? 0);
  let language = form.elements["view.language"]?.value ?? "";

  const refresh = () => view.dispatchEvent(new CustomEvent("compose"));
  const part = (field) => PUSH.exec(field.name ?? "");

  // Tools below each text of a push.
  function equip(field) {
    const found = part(field);
    if (!found || !TEXT.test(found[2]) || field.type === "hidden" || field.dataset.equipped) return;
    field.dataset.equipped = "yes";
    let tools = field.parentElement.querySelector(":scope > .field-tools");
    if (!tools) {
      tools = document.createElement("div");
      tools.className = "field-tools";
      field.after(tools);
    }
    const label = field.labels?.[0]?.textContent.trim() ?? "the text";
    for (const [kind, words, names] of TOOLS) {
      if (!names.test(found[2])) continue;
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "quiet small", textContent: words });
      button.dataset.pick = kind;
      button.dataset.into = field.name;
      button.setAttribute("aria-label", `${words}: ${label}`);
      button.setAttribute("aria-expanded", "false");
      tools.append(button);
    }
    const count = document.createElement("span");
    count.className = "count";
    count.dataset.counts = field.name;
    tools.append(count);
  }
  function equipAll() {
    for (const field of fields.querySelectorAll("input[name], textarea[name]")) equip(field);
    count();
  }
  function count() {
    for (const line of view.querySelectorAll("[data-counter]")) {
      for (const place of fields.querySelectorAll("[data-counts]")) {
        if (place.dataset.counts === line.dataset.counter) place.textContent = line.lastElementChild.textContent;
      }
    }
  }

  // The push that has the focus is the one that is shown, in its language.
  const LANGUAGE = /^translations\.([\w-]+)\./;
  fields.addEventListener("focusin", (event) => {
    const found = part(event.target);
    if (!found) return;
    const tag = TEXT.test(found[2]) ? LANGUAGE.exec(found[2])?.[1] ?? "" : language;
    if (Number(found[1]) === shown && tag === language) return;
    shown = Number(found[1]);
    language = tag;
    refresh();
  });
  view.addEventListener("change", (event) => {
    if (event.target.name === "view.push") shown = Number(event.target.value);
    if (event.target.name === "view.language") language = event.target.value;
  });
  view.addEventListener("click", (event) => {
    if (event.target.matches("[data-shuffle]")) {
      form.elements["view.seed"].value = Math.floor(Math.random() * 999);
      refresh();
    }
    const link = event.target.closest("[data-field]");
    const field = link && document.getElementsByName(link.dataset.field)[0];
    if (field) {
      event.preventDefault();
      field.closest("details")?.setAttribute("open", "");
      field.focus();
    }
  });
  view.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.name !== "view.person") return;
    event.preventDefault();
    view.querySelector(".compose-load button").click();
  });

  // Plain text needs no server.
  fields.addEventListener("input", (event) => {
    const found = part(event.target);
    const name = language ? found?.[2].replace(`translations.${language}.`, "translated.") : found?.[2];
    const text = name?.replace("translated.", "");
    if (!["title", "body"].includes(text) || Number(found[1]) !== shown || Boolean(language) !== (name !== text)) return;
    if (!event.target.value || event.target.value.includes("[[")) return;
    for (const place of view.querySelectorAll(`[data-shows="${text}"]`)) place.textContent = event.target.value;
  });

  // People that are being loaded come with a preview of their own. What is typed meanwhile is shown after that.
  let loading = false;
  let missed = false;
  const ours = (event) => event.detail.target === view;
  document.addEventListener("htmx:configRequest", (event) => {
    if (!ours(event)) return;
    event.detail.parameters["view.push"] = String(shown);
    event.detail.parameters["view.language"] = language;
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!ours(event)) return;
    const typed = event.detail.requestConfig.elt === view;
    if (typed && loading) {
      missed = true;
      event.preventDefault();
      return;
    }
    if (!typed) {
      loading = true;
      window.htmx.trigger(view, "htmx:abort");
    }
    status.classList.remove("trouble");
    status.textContent = typed ? "Updating…" : "Loading people…";
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!ours(event)) return;
    const { requestConfig, successful, xhr } = event.detail;
    const typed = requestConfig.elt === view;
    if (!typed) {
      loading = false;
      if (missed) refresh();
      missed = false;
    }
    if (loading || (typed && xhr.status === 0 && navigator.onLine)) return; // replaced by a later one
    status.textContent = successful ? "" : "Not up to date. Reload the page if this stays.";
    status.classList.toggle("trouble", !successful);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target === view) count();
  });
  new MutationObserver((changes) => {
    const added = changes.some((each) => [...each.addedNodes, ...each.removedNodes].some((node) => node.querySelector?.("[name^='pushSequence[']")));
    if (!added) return;
    equipAll();
    refresh();
  }).observe(fields, { childList: true, subtree: true });
  equipAll();
})();
