// Unsaved changes of the campaign form: the page asks before it is left, and a reload gives them back.
// The draft stays in this tab's storage, for this campaign and version, until it is saved or discarded.
(() => {
  "use strict";
  const form = document.getElementById("campaign-form");
  if (!form) return;
  const save = document.getElementById("save");
  const label = save.textContent;
  const version = form.dataset.version;
  const key = `draft ${form.getAttribute("action")} ${form.elements.namedItem("copy").value}`;
  let leaving = false;
  let left = null;

  function fields() {
    const states = new Set([...form.querySelectorAll("[data-state]")].map((each) => each.name));
    return [...new FormData(form)].filter(([name]) => name !== "csrf" && !states.has(name));
  }
  const loaded = JSON.stringify(fields());
  const differs = () => "changed" in form.dataset || JSON.stringify(fields()) !== loaded;

  function read() {
    try {
      return JSON.parse(sessionStorage.getItem(key));
    } catch {
      return null;
    }
  }
  function keep(sent = false) {
    if (left) return;
    try {
      if (differs()) sessionStorage.setItem(key, JSON.stringify({ version, sent, fields: fields() }));
      else sessionStorage.removeItem(key);
    } catch {
      // Without storage, the page still asks before it is left.
    }
  }
  function forget() {
    sessionStorage.removeItem(key);
    left = null;
  }

  let timer = 0;
  function changed() {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      if (leaving) return;
      const words = differs() ? "Unsaved changes" : "";
      const place = document.getElementById("unsaved");
      if (place.textContent !== words) place.textContent = words;
      keep();
    }, 200);
  }
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);

  // Send the draft as the form does: the page comes back with it, and with the version that it was written for.
  function restore() {
    const sender = document.createElement("form");
    sender.method = "post";
    sender.action = form.action;
    const all = [...left.fields, ["csrf", form.elements.namedItem("csrf").value], ["restore", "yes"]];
    for (const [name, value] of all) {
      const field = document.createElement("textarea");
      field.name = name;
      field.value = value;
      sender.append(field);
    }
    sender.hidden = true;
    document.body.append(sender);
    leaving = true;
    sender.submit();
  }

  function button(words, kind, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = kind;
    made.textContent = words;
    made.addEventListener("click", act);
    return made;
  }
  function ask() {
    const notice = document.createElement("div");
    notice.className = "notice wait restore";
    notice.setAttribute("role", "status");
    const words = document.createElement("p");
    words.textContent = left.version === version
      ? "You have unsaved changes from before."
      : "You have unsaved changes, but this was saved again since. If you restore yours, saving shows what differs.";
    const row = document.createElement("p");
    row.className = "row";
    row.append(button("Restore your unsaved changes", "small", restore), button("Discard", "quiet small", () => {
      forget();
      notice.remove();
      changed();
      form.querySelector("input:not([type=hidden])").focus();
    }));
    notice.append(words, row);
    form.before(notice);
  }

  const draft = read();
  if ("changed" in form.dataset) changed();
  else if (draft && !(draft.sent && draft.version !== version) && JSON.stringify(draft.fields) !== loaded) {
    left = draft;
    ask();
  } else forget();

  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    if (left) forget();
    keep(true);
    leaving = true;
    save.textContent = "Saving…";
    save.setAttribute("aria-disabled", "true");
  });
  window.addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    leaving = false;
    save.textContent = label;
    save.removeAttribute("aria-disabled");
  });
  window.addEventListener("pagehide", () => {
    if (!leaving) keep();
  });
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && differs()) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-discard]")) return;
    forget();
    leaving = true;
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s") return;
    event.preventDefault();
    if (!event.repeat) form.requestSubmit(save);
  });
})();
