// What the console does beyond plain pages: counts down, shows the visitor's own time, and says aloud what changed.
// Everything can be read, and done, without it.
(() => {
  "use strict";
  const SECOND = 1000;

  // The clock of the server, which may run faster than this machine's.
  const clock = { server: Date.parse(document.body.dataset.now), here: performance.now(), rate: 1 };
  const now = () => clock.server + (performance.now() - clock.here) * clock.rate;
  function learn(written) {
    const server = Date.parse(written);
    const here = performance.now();
    if (Number.isNaN(server) || here - clock.here < SECOND) return;
    clock.rate = Math.max(0, (server - clock.server) / (here - clock.here));
    clock.server = server;
    clock.here = here;
  }

  function distance(milliseconds) {
    const seconds = Math.round(Math.abs(milliseconds) / SECOND);
    if (!seconds) return "T-0";
    const two = (value) => String(value).padStart(2, "0");
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor((seconds % 3600) / 60);
    const clockface = hours ? `${hours}:${two(minutes)}` : String(minutes);
    return `T${milliseconds < 0 ? "-" : "+"}${clockface}:${two(seconds % 60)}`;
  }

  function tick() {
    for (const place of document.querySelectorAll("[data-countdown]")) {
      place.textContent = distance(now() - Date.parse(place.dataset.countdown));
    }
    for (const place of document.querySelectorAll("[data-clock]")) {
      place.textContent = new Date(now()).toISOString().slice(0, 19).replace("T", " ");
    }
  }

  // The server writes times in the visitor's zone. It learns the browser's from a cookie; the first page is fetched again.
  function tellZone() {
    const { zone, zonePath, method } = document.body.dataset;
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (!zone || !own || own === zone || document.cookie.includes("tminus_zone=")) return;
    const secure = window.location.protocol === "https:" ? "; secure" : "";
    document.cookie = `tminus_zone=${own}; path=${zonePath}; max-age=31536000; samesite=lax${secure}`;
    if (method === "GET" && document.cookie.includes("tminus_zone=")) window.location.reload();
  }

  function say() {
    const live = document.querySelector("[data-say]");
    const announcer = document.getElementById("announcer");
    if (live && announcer && announcer.textContent !== live.dataset.say) announcer.textContent = live.dataset.say;
  }

  document.addEventListener("htmx:beforeRequest", (event) => {
    const polls = event.detail.elt.getAttribute("hx-trigger") !== null;
    if (polls && document.hidden) event.preventDefault();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    learn(event.detail.xhr.getResponseHeader("X-Console-Now"));
  });
  document.addEventListener("htmx:afterSettle", () => {
    say();
    tick();
  });
  // A button that only a link can be without scripts is pressed by the space bar, too.
  document.addEventListener("keydown", (event) => {
    if (event.key === " " && event.target.matches("a[role=button]")) {
      event.preventDefault();
      event.target.click();
    }
  });
  // A campaign has the parameters of its job only.
  const job = document.getElementById("audienceCriteria.customScript.scriptId");
  job?.addEventListener("change", () => {
    for (const fields of document.querySelectorAll("[data-job]")) fields.hidden = fields.dataset.job !== job.value;
  });
  // A form is sent once, however often somebody presses.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  tellZone();
  tick();
  window.setInterval(tick, SECOND / 2);

  // The page after a save: the form's draft was sent, and is not needed any more.
  if (new URLSearchParams(location.search).has("outcome")) {
    for (const key of Object.keys(sessionStorage).filter((each) => each.startsWith("draft "))) {
      if (JSON.parse(sessionStorage.getItem(key)).sent) sessionStorage.removeItem(key);
    }
  }
})();
