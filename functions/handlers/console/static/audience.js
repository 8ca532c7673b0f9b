// The audience of the campaign form: reads a file of user ids, and says why a count failed.
(() => {
  "use strict";
  const MOST_BYTES = 400000; // of all ids in a campaign, which is stored as one document
  const LARGEST_FILE = 20000000;
  const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
  const number = new Intl.NumberFormat("en-US");
  const many = (count, one, more) => `${number.format(count)} ${count === 1 ? one : more}`;

  // The records of a CSV text with the lines they begin at; quoted values may hold separators and line breaks.
  function records(text) {
    const first = text.slice(0, (text + "\n").indexOf("\n"));
    const separator = [",", ";", "\t"].find((each) => first.includes(each)) || ",";
    const found = [];
    let values = [], value = "", quoted = false, line = 1, begins = 1;
    const end = () => {
      values.push(value.trim());
      if (values.some(Boolean)) found.push({ line: begins, values });
      values = [];
      value = "";
      begins = line;
    };
    for (let at = 0; at < text.length; at += 1) {
      const sign = text[at];
      if (sign === "\n") line += 1;
      if (quoted) {
        if (sign !== '"') value += sign;
        else if (text[at + 1] === '"') value += text[(at += 1)];
        else quoted = false;
      } else if (sign === '"' && !value) quoted = true;
      else if (sign === separator) {
        values.push(value.trim());
        value = "";
      } else if (sign === "\n") end();
      else if (sign !== "\r") value += sign;
    }
    end();
    return found;
  }

  function judged(rows, column, isUuid) {
    const ids = new Set();
    const invalid = [];
    let duplicates = 0, bytes = 0, left = 0;
    for (const { line, values } of rows) {
      const raw = values[column] || "";
      const id = UUID.test(raw) ? raw.toLowerCase() : raw;
      if (!id || /[\s,;]/.test(id) || id.length > 200 || (isUuid && !UUID.test(id))) invalid.push({ line, raw });
      else if (ids.has(id)) duplicates += 1;
      else if (bytes + id.length + 3 > MOST_BYTES) left += 1;
      else {
        ids.add(id);
        bytes += new TextEncoder().encode(id).length + 3;
      }
    }
    return { ids, invalid, duplicates, left };
  }

  function report(place, lines, tone) {
    const notice = document.createElement("div");
    notice.className = `notice ${tone}`;
    const list = document.createElement("ul");
    for (const text of lines) list.append(Object.assign(document.createElement("li"), { textContent: text }));
    notice.append(list);
    place.replaceChildren(notice);
  }

  function fill(input, rows, column) {
    const field = document.getElementById(input.dataset.idsFile);
    const { ids, invalid, duplicates, left } = judged(rows, column, input.dataset.idFormat === "uuid");
    field.value = [...ids].join("\n");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    const lines = [`${many(ids.size, "person", "people")} in the list.`];
    if (duplicates) lines.push(`${many(duplicates, "duplicate", "duplicates")} left out.`);
    if (invalid.length) {
      const named = invalid.slice(0, 5).map(({ line, raw }) => `line ${line}: ${raw ? `“${raw.slice(0, 40)}”` : "empty"}`);
      lines.push(`${many(invalid.length, "line has no valid user ID", "lines have no valid user ID")} (${named.join(", ")}${invalid.length > 5 ? ", …" : ""}).`);
    }
    if (left) lines.push(`${many(left, "person does", "people do")} not fit: a campaign holds about ${number.format(ids.size)} of these IDs. To send to the whole file, use Send once.`);
    report(document.getElementById(`${input.dataset.idsFile}-report`), lines, ids.size && !left && !invalid.length ? "info" : "wait");
  }

  async function read(input) {
    const [file] = input.files;
    const place = document.getElementById(`${input.dataset.idsFile}-report`);
    const chooser = input.parentElement.querySelector(".who-column");
    chooser.hidden = true;
    if (!file) return;
    if (file.size > LARGEST_FILE) {
      report(place, [`${file.name} is larger than 20 MB. To send to a file this large, use Send once.`], "wait");
      return;
    }
    const all = records((await file.text()).replace(/^\uFEFF/, ""));
    if (!all.length) {
      report(place, [`${file.name} is empty.`], "wait");
      return;
    }
    const names = all[0].values.map((name) => name.toLowerCase().replace(/[\s_-]/g, ""));
    const named = names.findIndex((name) => name === "userid");
    if (named >= 0 || names.length === 1) {
      const headed = named >= 0 || names[0] === "id";
      fill(input, headed ? all.slice(1) : all, Math.max(named, 0));
      return;
    }
    const select = chooser.querySelector("select");
    select.replaceChildren(new Option("Choose…", ""), ...all[0].values.map((name, at) => new Option(name || `Column ${at + 1}`, String(at))));
    select.onchange = () => select.value && fill(input, all.slice(1), Number(select.value));
    chooser.hidden = false;
    report(place, ["The file has several columns, and none is called user_id. Choose the column with the user IDs."], "wait");
    select.focus();
  }

  for (const input of document.querySelectorAll("[data-ids-file]")) {
    input.closest(".who-upload").hidden = false;
    input.addEventListener("change", () => read(input));
  }
  // Enter in the field of a person asks about the person, and does not save the campaign.
  document.addEventListener("keydown", (event) => {
    const button = event.key === "Enter" && event.target.dataset?.enter;
    if (!button) return;
    event.preventDefault();
    document.getElementById(button).click();
  });
  // A count is that of the conditions as they were. Once a person has counted, a change counts again after a pause.
  const PAUSE = 1500;
  let pause = 0;
  let waits = false;
  function countSoon() {
    waits = false;
    window.clearTimeout(pause);
    pause = window.setTimeout(() => {
      pause = 0;
      const button = document.getElementById("who-count");
      if (document.querySelector("#who-words [data-incomplete]")) waits = true;
      else if (button?.offsetParent) button.click();
    }, PAUSE);
  }
  document.addEventListener("change", (event) => {
    const { target } = event;
    if (!target.closest(".audience") || target.id === "audience.person") return;
    if (target.name && !/^(where|filters|parameters|audience)/.test(target.name)) return;
    for (const id of ["who-found", "who-answer"]) {
      const place = document.getElementById(id);
      if (!place?.querySelector(".notice")) continue;
      const counts = id === "who-found" && document.getElementById("who-count")?.offsetParent;
      const textContent = counts ? "The audience has changed. Counting again…" : "The audience has changed since. Ask again.";
      const first = place.querySelector(".notice p") || place.querySelector(".notice");
      first.textContent = textContent; // the rest stays, so that nothing moves below a person who is about to press
      if (counts) countSoon();
    }
    if (pause || waits) countSoon();
  });
  document.addEventListener("htmx:responseError", (event) => {
    const { target, xhr } = event.detail;
    if (!["who-found", "who-answer", "who"].includes(target?.id)) return;
    const limited = "Too many requests for user data. Wait a minute, then try again.";
    const text = xhr.status === 429 ? limited : "That did not work. Reload the page, then try again.";
    const place = target.id === "who" ? document.getElementById("who-found") : target;
    place.replaceChildren(Object.assign(document.createElement("p"), { className: "notice bad", textContent: text }));
  });
  document.addEventListener("htmx:sendError", (event) => {
    if (["who-found", "who-answer"].includes(event.detail.target?.id)) event.detail.target.textContent = "No connection. Try again.";
  });
})();
