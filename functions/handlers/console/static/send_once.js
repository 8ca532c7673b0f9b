// Send once: uploads large files in pieces, inserts variables, keeps the message in this tab, and checks the number.
(() => {
  "use strict";
  const PIECE = 8_000_000;
  const KEPT = "tminus-send-once";

  // A file in pieces: a request has a limit of 32 MiB on Cloud Run.
  const upload = document.getElementById("upload");
  const progress = document.querySelector(".upload-progress");
  function problem(text) {
    const notice = document.createElement("div");
    notice.className = "notice bad";
    notice.setAttribute("role", "alert");
    notice.textContent = text;
    document.getElementById("upload-problem").replaceChildren(notice);
    progress.hidden = true;
    upload.querySelector("button").disabled = false;
    delete upload.dataset.sent;
  }
  async function send(file) {
    let id = "";
    for (let start = 0, piece = 0; start < file.size; start += PIECE, piece += 1) {
      const form = new FormData();
      const more = start + PIECE < file.size;
      const fields = { csrf: upload.elements.csrf.value, upload: id, piece, more: more ? "yes" : "" };
      for (const [name, value] of Object.entries(fields)) form.append(name, value);
      form.append("file", file.slice(start, start + PIECE), "piece.csv");
      const response = await fetch(upload.action, { method: "POST", body: form, headers: { "HX-Request": "true" } });
      if (!response.ok) {
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        throw new Error(page.querySelector(".notice.bad")?.textContent.trim() ?? "The upload failed. Try again.");
      }
      const share = Math.min(100, Math.round((100 * (start + PIECE)) / file.size));
      progress.querySelector("progress").value = share;
      progress.querySelector(".num").textContent = `${share}%`;
      if (more) id = await response.text();
      else window.location.assign(response.headers.get("HX-Redirect"));
    }
  }
  upload?.addEventListener("submit", (event) => {
    const [file] = upload.elements.file.files;
    if (!file || file.size <= PIECE || upload.elements.ids.value.trim()) return;
    event.preventDefault();
    progress.hidden = false;
    upload.querySelector("button").disabled = true;
    send(file).catch((error) => problem(error.message));
  });

  // What was typed survives a reload, an error, and another file.
  const message = document.getElementById("message");
  const fields = message ? [...message.querySelectorAll("[data-kept]")] : [];
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
  for (const field of fields) if (!field.value && kept[field.name]) field.value = kept[field.name];
  const keep = () =>
    sessionStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(fields.map((field) => [field.name, field.value]))));
  message?.addEventListener("input", keep);
  if (message) keep();
  document.querySelector("form[data-done]")?.addEventListener("submit", () => sessionStorage.removeItem(KEPT));

  // A variable goes to where the cursor was.
  let last = document.getElementById("body");
  for (const id of ["title", "body", "deepLink", "image"]) {
    document.getElementById(id)?.addEventListener("focus", (event) => (last = event.target));
  }
  for (const button of document.querySelectorAll("[data-insert]")) {
    button.addEventListener("click", () => {
      last.setRangeText(button.dataset.insert, last.selectionStart, last.selectionEnd, "end");
      last.focus();
      last.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
  const ids = document.getElementById("id_column");
  ids?.addEventListener("change", () => {
    for (const each of document.querySelectorAll("[data-insert]")) each.hidden = each.textContent === ids.value;
  });

  // The button works once the number is right. The server checks it, too.
  const typed = document.querySelector("[data-confirm]");
  const button = typed?.form.querySelector("button.danger");
  const check = () => (button.disabled = typed.value.replace(/[\s,.'’]/g, "") !== typed.dataset.confirm);
  typed?.addEventListener("input", check);
  if (typed) check();
})();
