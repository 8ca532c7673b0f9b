// Keyboard shortcuts. The sheet in the page says which keys do what; keys in a field of a form only type.
(() => {
  "use strict";
  const PAUSE = 1200;
  const sheet = document.getElementById("shortcut-sheet");
  if (!sheet) return;
  const shortcuts = new Map();
  for (const row of sheet.querySelectorAll("[data-keys]")) shortcuts.set(row.dataset.keys, row.dataset);
  let typed = "";
  let timer;

  const rows = () => [...document.querySelectorAll("main tbody tr, main .lines > li, main .entries > li")].filter((row) => row.querySelector("a"));
  function move(step) {
    const all = rows();
    const at = all.findIndex((row) => row.contains(document.activeElement));
    const next = all[at < 0 && step < 0 ? all.length - 1 : at + step];
    next?.querySelector("a").focus();
  }
  const actions = {
    help: () => sheet.showModal(),
    search: () => document.querySelector("main [type=search], main .filters input:not([type=hidden])")?.focus(),
    next: () => move(1),
    previous: () => move(-1),
    close: () => sheet.close(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1) return;
    if (event.target.closest("input, textarea, select, [contenteditable]") || document.querySelector("dialog[open]")) return;
    typed = `${typed} ${event.key}`.trim();
    const found = shortcuts.get(typed) || shortcuts.get(event.key);
    const begins = [...shortcuts.keys()].some((keys) => keys.startsWith(`${typed} `));
    window.clearTimeout(timer);
    timer = window.setTimeout(() => (typed = ""), PAUSE);
    if (found) {
      event.preventDefault();
      typed = "";
      if (found.path !== undefined) window.location.assign(found.path);
      else actions[found.action]();
    } else if (!begins) typed = "";
  });
  sheet.querySelector("[data-close]").addEventListener("click", actions.close);
  for (const opener of document.querySelectorAll("[data-shortcuts]")) {
    opener.addEventListener("click", (event) => {
      event.preventDefault();
      sheet.showModal();
    });
  }
})();
