/* Keeps what is typed into the desk's form: every few seconds, when a field is left, when the page goes.

   The server holds the draft under the form's token, which stands in the address too, so that reload
   and Back find it. Beside it the browser keeps the same, sealed (offline-store.js): it is what is there
   while the line is away, and what is handed in then waits in it. Where the server has other words than
   the browser, both are shown and the officer chooses. */
"use strict";
(() => {
  const form = document.querySelector("form[data-draft]");
  if (!form) return;
  const PAUSE_MS = 3000;
  const SOON_MS = 300;
  const LIMIT_MS = 8000;
  const quay = self.lienthongQuay;
  const blank = "blank" in document.body.dataset;
  const field = (name) => form.elements.namedItem(name);
  const [token, csrf, page, after] = ["token", "csrf_token", "d.page", "d.after"].map(field);
  const code = form.dataset.draft.split("/").pop();
  const when = document.getElementById("nhap-luc");
  const trouble = document.getElementById("nhap-loi");
  let server = after.value; // the page whose words the server has, as far as is known here
  let changed = false; // since the last save was begun
  let saves = 0;
  let running = null;
  let filing = false;
  let choosing = false; // between two versions
  let told = false; // that something is missing
  let before; // the page whose words this one has taken up
  let waits = null; // the row that this form is of
  let timer;
  let keeping;

  const inputs = () => [...new FormData(form)].filter(([, value]) => typeof value === "string");

  function remember() {
    const address = new URL(location.href);
    address.searchParams.set("nhap", token.value);
    address.searchParams.delete("lai");
    history.replaceState(history.state, "", address);
  }

  function tell(state) {
    trouble.hidden = state === "saved";
    const away = document.querySelector("[data-blank].notice"); // which says the same, less nearly
    if (away) away.hidden = state === "away-kept";
    for (const words of trouble.querySelectorAll("[data-trouble]")) {
      words.hidden = words.dataset.trouble !== state;
    }
    return state;
  }

  // --- kept in the browser ----------------------------------------------------------------------
  async function keepHere(synced, sent = false) {
    clearTimeout(keeping);
    if (!quay) return false;
    try {
      const kept = await quay.keepTyped({
        id: token.value, code, page: page.value, server, synced, sent, before, inputs: inputs(),
        title: document.querySelector("h1").textContent, applicant: field("c.name")?.value ?? "",
      });
      if (kept !== "other") return kept;
      token.value = quay.newId();
      after.value = "";
      remember();
      tell("beside");
      return await keepHere(synced, sent);
    } catch {
      return false;
    }
  }

  function fill(pairs) {
    const left = pairs.filter(([name]) => /^(f|c|p)\./.test(name) || ["channel", "branches", "seen", "asked"].includes(name));
    for (const each of form.elements) {
      if (!each.name || each.type === "hidden" || each.type === "submit") continue;
      const mine = left.filter(([name]) => name === each.name).map(([, value]) => value);
      if (each.type === "checkbox" || each.type === "radio") each.checked = mine.includes(each.value);
      else each.value = mine[0] ?? "";
    }
    form.querySelectorAll("[data-brought]").forEach((each) => each.remove());
    const brought = left.filter(([name]) => ["seen", "asked"].includes(name));
    for (const [name, value] of [...brought, ...(waits ? quay.beside(waits) : [])]) {
      const hidden = Object.assign(document.createElement("input"), { type: "hidden", name, value });
      hidden.dataset.brought = "";
      form.append(hidden);
    }
  }

  async function restore() {
    await quay?.ready;
    const asked = new URL(location.href).searchParams.get("nhap");
    const again = new URL(location.href).searchParams.has("lai");
    if (blank) {
      token.value = asked || quay?.newId() || "";
      page.value = quay?.newId() ?? "";
    }
    if (quay && form.dataset.filed) await quay.dropTyped(asked).catch(() => {});
    waits = await quay?.row(token.value).catch(() => null);
    if (waits?.state === "sent") waits = null;
    const kept = await quay?.typed(token.value).catch(() => null);
    if (form.dataset.answered !== undefined) {
      if (waits) fill(inputs());
    } else if (kept && (!kept.synced || form.dataset.kept === undefined) && kept.code === code) {
      await takeUp(kept);
    } else if (waits) {
      fill(waits.inputs);
    }
    if (waits) showWaiting();
    if (again && !form.dataset.filed) tell("unsure");
    else if (blank && !(await quay?.who().catch(() => null))) tell("locked");
    if (!blank && form.dataset.kept !== undefined && !changed) await keepHere(true);
    remember();
  }

  // What the browser has goes on from what the server had then; where that has changed, the officer says.
  async function takeUp(kept) {
    before = kept.page;
    // Its last words may still be on their way: this page goes on from those too.
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "d.after", value: before }));
    const goesOn = blank || !after.value || [kept.server, kept.page].includes(after.value);
    if (goesOn) {
      server = blank ? kept.server : after.value;
      after.value = server;
      fill(kept.inputs);
      if (!kept.synced || (!blank && form.dataset.kept === undefined)) soon();
      return;
    }
    const rows = differences(kept.inputs);
    if (rows.length === 0) return;
    choosing = true;
    const box = document.getElementById("hai-ban");
    const body = box.querySelector("tbody");
    for (const cells of rows) {
      const line = document.createElement("tr");
      cells.forEach((text, place) => {
        const cell = document.createElement(place ? "td" : "th");
        if (!place) cell.scope = "row";
        cell.textContent = text || box.dataset.nothing;
        line.append(cell);
      });
      body.append(line);
    }
    box.hidden = false;
    box.addEventListener("click", async (event) => {
      const chosen = event.target.dataset?.choose;
      if (!chosen) return;
      if (chosen === "here") { fill(kept.inputs); soon(); }
      choosing = false;
      box.hidden = true;
      await keepHere(chosen !== "here");
      form.querySelector("input:not([type=hidden])")?.focus();
    });
    box.focus();
  }

  function differences(pairs) {
    const as = (given, name) => given.filter(([each]) => each === name).map(([, value]) => value).join(", ");
    const names = [...new Set([...inputs(), ...pairs].map(([name]) => name))];
    return names.filter((name) => /^(f|c|p)\.|^channel$|^branches$/.test(name))
      .map((name) => [label(name), as(inputs(), name), as(pairs, name)])
      .filter(([, there, here]) => there !== here);
  }

  function label(name) {
    let input = field(name);
    if (input && !input.tagName) [input] = input; // several of one name
    const words = input?.labels?.[0]?.textContent ?? input?.closest("[aria-label]")?.getAttribute("aria-label") ?? name;
    const paper = input?.closest(".paper")?.querySelector("p.paper-name")?.firstChild?.textContent ?? "";
    return `${paper.trim()} ${words.replace("*", "").trim()}`.trim();
  }

  // The papers and their counts, as they stand on the slip.
  function listed() {
    return [...form.querySelectorAll(".paper")].map((paper) => {
      const numbers = [...paper.querySelectorAll("input[type=number]")].filter((each) => Number(each.value) > 0)
        .map((each) => `${each.value} ${each.dataset.listed}`);
      const words = paper.querySelector("p.paper-name")?.firstChild.textContent.trim() ?? paper.querySelector("input:not([type=number])").value;
      return numbers.length ? `${words}: ${numbers.join(", ")}` : "";
    }).filter(Boolean);
  }

  function showWaiting() {
    const note = document.getElementById("cho-gui-day");
    note.querySelector("[data-number]").textContent = waits.number;
    note.querySelector("[data-reasons]").replaceChildren(...waits.reasons.map((text) => {
      const line = document.createElement("li");
      line.textContent = text;
      return line;
    }));
    note.hidden = false;
  }

  // --- kept on the server -----------------------------------------------------------------------
  function send(leaving) {
    saves += 1;
    const body = new URLSearchParams(inputs().filter(([name]) => !name.startsWith("o.")));
    body.set("d.n", String(saves));
    const more = leaving ? { keepalive: true } : { signal: AbortSignal.timeout(LIMIT_MS) };
    return fetch(form.dataset.draft, {
      method: "POST", body, headers: { Accept: "application/json" }, ...more,
    });
  }

  // Somebody has signed in again, in another tab: this page's token is of the session before.
  async function renewed() {
    const answer = await fetch(form.dataset.renew, { headers: { Accept: "application/json" } });
    if (answer.ok) csrf.value = (await answer.json()).csrf;
    return answer.ok;
  }

  async function attempt() {
    changed = false;
    try {
      if (!csrf.value) await renewed();
      let answer = await send(false);
      if (answer.status === 400 && (await renewed())) answer = await send(false);
      if (answer.ok) {
        const kept = await answer.json();
        server = page.value;
        if (kept.id !== token.value) {
          await quay?.dropTyped(token.value, page.value).catch(() => {});
          token.value = kept.id;
          remember();
          await keepHere(!changed);
          return tell("beside");
        }
        when.textContent = kept.filed ? "" : when.dataset.saved.replace("{at}", kept.at);
        if (!kept.filed) await keepHere(!changed);
        return tell("saved");
      }
      changed = true;
      const away = [429, 502, 503, 504].includes(answer.status);
      return tell(away ? await awayState() : answer.status === 401 || answer.status === 400 ? "signed-out" : "refused");
    } catch {
      changed = true;
      return tell(await awayState());
    }
  }
  // Without a line: whether the browser at least has it.
  const awayState = async () => ((await keepHere(false)) ? "away-kept" : "away");

  async function save() {
    clearTimeout(timer);
    while (running) await running;
    running = attempt();
    try {
      return await running;
    } finally {
      running = null;
    }
  }

  function soon() {
    changed = true;
    clearTimeout(timer);
    clearTimeout(keeping);
    keeping = setTimeout(() => keepHere(false), SOON_MS);
    if (!choosing) timer = setTimeout(save, PAUSE_MS);
  }

  function leave() {
    if (changed && !filing && !choosing) {
      changed = false;
      keepHere(false);
      send(true).catch(() => { changed = true; });
    }
  }

  // --- handing in -------------------------------------------------------------------------------
  function missing() {
    const lacking = [...form.elements].filter((each) => each.validity?.valueMissing || each.validity?.badInput);
    if (lacking.length === 0 || told) return false;
    told = true;
    document.querySelector("#nhap-loi [data-missing]").textContent = lacking.map((each) => label(each.name)).join("; ");
    tell("missing");
    lacking[0].focus();
    return true;
  }

  // There is no line: it waits in the browser, and the citizen gets a slip. A row of before is sent anew.
  async function handIn() {
    if (missing()) return false;
    try {
      let id = token.value;
      if (waits) await quay.change(id, { state: "waiting" }, { inputs: inputs(), listed: listed(), applicant: field("c.name").value, reasons: [] });
      else id = await quay.handIn({
        id, code, inputs: inputs(), title: document.querySelector("h1").textContent, applicant: field("c.name").value, listed: listed(),
      });
      location.assign(`/ho-so/cho-gui/giay#${id}`);
      return true;
    } catch {
      tell("full");
      trouble.focus();
      return false;
    }
  }

  form.addEventListener("input", soon);
  form.addEventListener("change", () => { if (changed && !filing && !choosing) save(); });
  document.addEventListener("visibilitychange", () => { if (document.hidden) leave(); });
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", (event) => { if (event.persisted) filing = false; });
  window.addEventListener("offline", async () => { if (!filing && !choosing) tell(await awayState()); });
  window.addEventListener("online", () => { if (changed && !choosing) save(); });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (filing) return;
    const keeps = event.submitter?.name === "d.keep";
    if (waits && (await quay.row(waits.id).catch(() => null))?.state === "sent") {
      tell("sent");
      trouble.focus();
      return;
    }
    filing = !keeps;
    const state = await save();
    if (keeps) return;
    if (state === "away-kept") {
      filing = await handIn();
      return;
    }
    if (state === "signed-out" || state === "away") {
      filing = false;
      trouble.focus();
      return;
    }
    // The answer may be lost on its way: what is sent is here until the next page of ours knows better.
    if (waits) await quay.change(waits.id, { state: "waiting" }, { inputs: inputs(), reasons: [] }).catch(() => {});
    await keepHere(false, true);
    form.submit();
  });

  const begun = restore().catch(() => remember());
  if (!quay) remember();
  form.dataset.begun = "";
  begun.then(() => { form.dataset.begun = "1"; });
})();
