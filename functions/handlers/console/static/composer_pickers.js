// What the buttons below a text insert at the caret: a variable of the audience, or an emoji.
(() => {
  "use strict";
  const EMOJI = {
    "Smileys": "😀 grin happy|😄 smile happy|😁 beam happy|😂 joy tears laugh|🤣 rolling laugh|😊 blush smile|😇 angel halo|🙂 slight smile|😉 wink|😍 heart eyes love|🥰 hearts love|😘 kiss|😋 yum tasty|😜 tongue wink|🤩 star eyes wow|🥳 party celebrate|😎 cool sunglasses|🤓 nerd|🤔 thinking|🤫 quiet secret|😴 sleep|😌 relieved calm|😅 sweat smile|😬 grimace|😱 scream shock|😮 surprised|😢 cry sad|😭 sob sad|😤 determined|🤗 hug|🫶 heart hands love|🤯 mind blown",
    "People and hands": "👋 wave hello|👍 thumbs up yes|👎 thumbs down no|👏 clap applause|🙌 raised hands hooray|🙏 thanks please|🤝 handshake deal|💪 strong muscle workout|👉 point right|👈 point left|👇 point down|👆 point up|✌️ victory peace|🤞 fingers crossed luck|👌 ok|✋ stop hand|👀 eyes look|🏃 run|🚶 walk|🧘 yoga calm|🏋️ weights gym workout|🚴 bike cycling|🏊 swim",
    "Hearts and signs": "❤️ red heart love|🧡 orange heart|💛 yellow heart|💚 green heart|💙 blue heart|💜 purple heart|🖤 black heart|💖 sparkling heart|💔 broken heart|💯 hundred|✅ check done|☑️ tick|❌ cross no|❗ exclamation important|❓ question|⚠️ warning|🔔 bell reminder|🔕 muted|➡️ arrow right|⬅️ arrow left|⬆️ arrow up|⬇️ arrow down|🔄 refresh again|🆕 new|🆓 free|🔝 top|™️ trademark",
    "Celebration and sales": "🎉 party tada|🎊 confetti|🎁 gift present|🎂 birthday cake|🎈 balloon|🏆 trophy win|🥇 gold medal first|🏅 medal|⭐ star|🌟 glowing star|✨ sparkles new|🔥 fire hot deal|⚡ lightning fast flash|💥 boom sale|💎 gem premium|👑 crown|🚀 rocket launch|🎯 target goal|💰 money bag|💸 money savings|💳 card pay|🏷️ tag price sale|🛍️ shopping bags|🛒 cart|🧾 receipt|📦 package delivery|🚚 truck delivery|🎟️ ticket coupon",
    "Time and work": "⏰ alarm clock|⏳ hourglass time|⌛ time up|⏱️ stopwatch|🕐 clock|📅 calendar date|📆 calendar|📍 pin place|📌 pushpin|📣 megaphone news|📢 loudspeaker|💬 message chat|✉️ letter mail|📧 e-mail|📱 phone mobile|💻 laptop|📷 camera photo|🎥 video film|🎧 headphones music|🎵 music note|📚 books|📖 book read|✏️ pencil write|📝 memo note|🔗 link|🔒 lock secure|🔑 key|💡 idea light|🔍 search",
    "Nature and food": "☀️ sun summer|🌤️ sun cloud|🌧️ rain|❄️ snow winter|☃️ snowman|🌈 rainbow|🌙 moon night|🌍 earth world|🌱 seedling plant|🌸 blossom spring|🌹 rose|🌻 sunflower|🍂 autumn leaves|🎄 christmas tree|🎃 pumpkin halloween|🐶 dog|🐱 cat|🐰 rabbit easter|🦄 unicorn|🐝 bee|🍕 pizza|🍔 burger|🍟 fries|🌮 taco|🍣 sushi|🥗 salad|🍎 apple|🍓 strawberry|🥑 avocado|🍫 chocolate|🍦 ice cream|☕ coffee|🍵 tea|🍺 beer|🍷 wine|🥂 cheers toast",
    "Places and travel": "🏠 home house|🏢 office|🏖️ beach holiday|🏔️ mountain|🏕️ camping|🗺️ map|✈️ plane flight|🚗 car|🚆 train|🚌 bus|🚲 bicycle|⛵ boat|🏨 hotel|👟 sneaker sport run|👕 shirt|👗 dress|👜 bag|💄 lipstick beauty|⚽ football soccer|🏀 basketball|🎾 tennis|🎮 game|🎬 film movie",
  };
  const view = document.getElementById("composed");
  if (!view) return;
  let open = null;

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text) made.textContent = text;
    if (tag === "button") made.type = "button";
    return made;
  }
  function close(focus) {
    if (!open) return;
    const { button, picker } = open;
    open = null;
    picker.remove();
    button.setAttribute("aria-expanded", "false");
    focus?.focus();
  }
  function insert(text) {
    const { field } = open;
    const [start, end] = field.dataset.caret ? field.dataset.caret.split(",").map(Number) : [field.value.length, field.value.length];
    field.setRangeText(text, start, end, "end");
    field.dataset.caret = `${field.selectionStart},${field.selectionEnd}`;
    close(field);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // Every choice is a button; the arrows move between them, and the search narrows them.
  function search(picker, label, draw) {
    const box = element("input");
    Object.assign(box, { type: "search", placeholder: label });
    box.setAttribute("aria-label", label);
    const choices = element("div", "choices");
    box.addEventListener("input", () => choices.replaceChildren(...draw(box.value.trim().toLowerCase())));
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      choices.querySelector("button")?.click();
    });
    choices.append(...draw(""));
    picker.append(box, choices);
    box.focus();
  }
  function emoji(picker) {
    search(picker, "Search emoji", (wanted) => {
      const found = [];
      for (const [group, list] of Object.entries(EMOJI)) {
        const fitting = list.split("|").filter((each) => each.includes(wanted) || group.toLowerCase().includes(wanted));
        if (!fitting.length) continue;
        const grid = element("div", "grid");
        for (const each of fitting) {
          const [sign, ...names] = each.split(" ");
          const button = element("button", "", sign);
          button.title = names.join(" ");
          button.setAttribute("aria-label", names.join(" "));
          button.addEventListener("click", () => insert(sign));
          grid.append(button);
        }
        found.push(element("h3", "", group), grid);
      }
      return found.length ? found : [element("p", "empty", "No emoji has that name.")];
    });
  }
  function variables(picker) {
    const columns = [...document.querySelectorAll("#compose-columns li")].map((each) => each.dataset);
    if (!columns.length) {
      const words = element("p", "", "Choose an audience first: its columns are the variables.");
      words.tabIndex = -1;
      picker.append(words);
      words.focus();
      return;
    }
    search(picker, "Search variables", (wanted) => {
      const fitting = columns.filter((each) => `${each.name} ${each.meaning}`.toLowerCase().includes(wanted));
      if (!fitting.length) return [element("p", "empty", "No variable has that name.")];
      return fitting.map((each) => {
        const button = element("button");
        const known = [each.example && `Example: ${each.example}`, each.lacking && `${each.lacking} empty`];
        const more = [each.meaning, known.filter(Boolean).join(" · ")];
        button.append(element("code", "", each.name));
        for (const words of more.filter(Boolean)) button.append(element("span", "hint", words));
        button.addEventListener("click", () => (each.lacking === "0%" ? insert(`[[var:${each.name}]]`) : fallback(picker, each)));
        return button;
      });
    });
  }
  function fallback(picker, column) {
    const label = element("label", "", `Text for people without ${column.name}`);
    const box = element("input");
    label.append(box);
    const lacking = column.lacking ? `${column.lacking} have none. ` : "";
    const hint = element("p", "hint", `${lacking}Without a fallback they get no push.`);
    const row = element("div", "row");
    const use = element("button", "small", "Insert");
    const none = element("button", "quiet small", "Insert without fallback");
    const put = () => insert(box.value ? `[[var:${column.name}|${box.value.replace(/[[\]]/g, "")}]]` : `[[var:${column.name}]]`);
    use.addEventListener("click", put);
    none.addEventListener("click", () => insert(`[[var:${column.name}]]`));
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      put();
    });
    row.append(use, none);
    picker.replaceChildren(label, hint, row);
    box.focus();
  }

  function show(button) {
    const again = open?.button === button;
    close(again ? button : null);
    if (again) return;
    const picker = element("div", "picker");
    picker.setAttribute("role", "dialog");
    picker.setAttribute("aria-label", button.dataset.pick === "emoji" ? "Emoji" : "Variables");
    button.parentElement.append(picker);
    button.setAttribute("aria-expanded", "true");
    open = { button, picker, field: document.getElementsByName(button.dataset.into)[0] };
    (button.dataset.pick === "emoji" ? emoji : variables)(picker);
    // What is typed into the picker is not the campaign's.
    for (const kind of ["input", "change"]) picker.addEventListener(kind, (event) => event.stopPropagation());
    picker.scrollIntoView({ block: "nearest" });
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-pick]");
    if (button) show(button);
    else if (open && !open.picker.contains(event.target) && event.target.isConnected) close();
  });
  document.addEventListener("focusout", (event) => {
    const field = event.target;
    if (field.dataset?.equipped) field.dataset.caret = `${field.selectionStart},${field.selectionEnd}`;
  });
  document.addEventListener("keydown", (event) => {
    if (!open) return;
    if (event.key === "Escape") {
      event.preventDefault();
      close(open.button);
      return;
    }
    const grid = event.target.closest(".grid");
    const steps = { ArrowDown: grid ? 8 : 1, ArrowUp: grid ? -8 : -1, ...(grid ? { ArrowRight: 1, ArrowLeft: -1 } : {}) };
    if (!(event.key in steps) || !open.picker.contains(event.target)) return;
    const all = [...open.picker.querySelectorAll(".choices button")];
    const at = all.indexOf(event.target);
    if (!all.length) return;
    event.preventDefault();
    all[Math.min(Math.max(at < 0 ? 0 : at + steps[event.key], 0), all.length - 1)].focus();
  });
})();
