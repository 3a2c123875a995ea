/* Keeps what is typed into the desk's form: every few seconds, when a field is left, when the page goes.

   The server holds the draft under the form's token, which stands in the address too, so that reload
   and Back find it. Nothing is filed while the session is known to be over: it would lose the typing. */
"use strict";
(() => {
  const form = document.querySelector("form[data-draft]");
  if (!form) return;
  const PAUSE_MS = 3000;
  const LIMIT_MS = 8000;
  const token = form.elements.namedItem("token");
  const csrf = form.elements.namedItem("csrf_token");
  const when = document.getElementById("nhap-luc");
  const trouble = document.getElementById("nhap-loi");
  let changed = false; // since the last save was begun
  let saves = 0;
  let running = null;
  let filing = false;
  let timer;

  function remember() {
    const address = new URL(location.href);
    address.searchParams.set("nhap", token.value);
    history.replaceState(history.state, "", address);
  }

  function tell(state) {
    trouble.hidden = state === "saved";
    for (const words of trouble.querySelectorAll("[data-trouble]")) {
      words.hidden = words.dataset.trouble !== state;
    }
    return state;
  }

  function send(leaving) {
    saves += 1;
    const body = new URLSearchParams(new FormData(form));
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
      let answer = await send(false);
      if (answer.status === 400 && (await renewed())) answer = await send(false);
      if (answer.ok) {
        const kept = await answer.json();
        if (kept.id !== token.value) {
          token.value = kept.id;
          remember();
        }
        when.textContent = kept.filed ? "" : `Đã lưu nháp lúc ${kept.at}.`;
        return tell("saved");
      }
      changed = true;
      return tell(answer.status === 401 || answer.status === 400 ? "signed-out" : "refused");
    } catch {
      changed = true;
      return tell("away");
    }
  }

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
    timer = setTimeout(save, PAUSE_MS);
  }

  function leave() {
    if (changed && !filing) {
      changed = false;
      send(true).catch(() => { changed = true; });
    }
  }

  form.addEventListener("input", soon);
  form.addEventListener("change", () => { if (changed && !filing) save(); });
  document.addEventListener("visibilitychange", () => { if (document.hidden) leave(); });
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", (event) => { if (event.persisted) filing = false; });
  window.addEventListener("online", () => { if (changed) save(); });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (filing) return;
    const keeps = event.submitter?.name === "d.keep";
    filing = !keeps;
    const state = await save();
    if (keeps) return;
    if (state === "signed-out" || state === "away") {
      filing = false;
      trouble.focus();
      return;
    }
    form.submit();
  });

  remember();
})();
