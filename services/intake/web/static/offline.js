/* On every page of the desk: gets the key, sends what waits, counts it in the head, keeps blank forms. */
"use strict";
(() => {
  const quay = self.lienthongQuay;
  const say = self.lienthongWords();
  const { owner, worker, blank } = document.body.dataset;
  if (!quay) return;
  const FORMS = "lienthong-to-khai";
  const FILES = "lienthong-tep";
  const FRESH_MS = 20 * 3600 * 1000;
  const PAUSE_MS = 700;
  const FIRST_MS = 15000;
  const LONGEST_MS = 300000;
  const LONG_MS = 10000;
  const LEFT = "lienthong-ra";
  let wait = FIRST_MS;
  let timer;

  // --- whose browser this is ------------------------------------------------------------------------
  async function begin() {
    if (owner && localStorage.getItem(LEFT)) {
      localStorage.removeItem(LEFT);
      document.querySelector("form.sign-out")?.submit(); // somebody left while there was no line
      return;
    }
    if (owner) {
      if (localStorage.getItem("lienthong-quay") !== owner) await caches.delete(FORMS);
      localStorage.setItem("lienthong-quay", owner);
      await quay.acquaint(owner).catch(() => false);
    } else if (blank === undefined) {
      localStorage.removeItem(LEFT);
      await quay.forgetKey(); // the sign-in page: nobody is here
    }
  }
  quay.ready = begin().catch(() => {});

  // --- sending --------------------------------------------------------------------------------------
  async function send(queues = false) {
    clearTimeout(timer);
    const { rows } = await quay.rows();
    if (!rows.some((each) => each.state === "waiting")) return;
    const verdict = await quay.sendAll(queues);
    document.dispatchEvent(new CustomEvent("lienthong:sent", { detail: verdict }));
    if (verdict.state === "away" || verdict.state === "busy") {
      const pause = Math.max(wait, (verdict.after ?? 0) * 1000);
      timer = setTimeout(send, pause * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, LONGEST_MS);
    } else {
      wait = FIRST_MS;
    }
    await count();
  }
  quay.send = send;

  // What was sent to be filed when the line broke, or the page went: filed, it is no typing any more.
  async function settle() {
    for (const each of (await quay.unsaved()).filter((typed) => typed.sent)) {
      const address = `/ho-so/ban-nhap/ve?nhap=${encodeURIComponent(each.id)}`;
      const answer = await fetch(address, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (!answer.ok) return;
      if ((await answer.json()).filed) await quay.dropTyped(each.id);
    }
  }

  // A page that was opened without a line: says when there is one again.
  async function probe() {
    const note = document.querySelector("[data-blank].notice");
    let asked;
    try {
      asked = await fetch("/ho-so/ban-nhap/ve", { headers: { Accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(LONG_MS) });
    } catch { /* not yet */ }
    if (!asked || ![200, 401].includes(asked.status) || !(asked.headers.get("Content-Type") ?? "").includes("json")) {
      setTimeout(probe, FIRST_MS);
      return;
    }
    const words = say(asked.status === 200 ? "online" : "online_signed_out");
    const again = Object.assign(document.createElement("a"), { href: location.href, textContent: say("reload") });
    again.addEventListener("click", (event) => { event.preventDefault(); location.reload(); });
    const line = document.createElement("p");
    line.append(words, " ", again, ".");
    note?.replaceChildren(line);
  }

  // --- the head -------------------------------------------------------------------------------------
  async function count() {
    const { rows, locked } = await quay.rows();
    const number = rows.filter((each) => each.state !== "sent").length + locked;
    const list = document.querySelector(".masthead nav ul");
    let link = document.getElementById("cho-gui");
    if (!list || (!number && !link)) return;
    if (!link) {
      const item = document.createElement("li");
      link = document.createElement("a");
      link.id = "cho-gui";
      link.href = "/ho-so/cho-gui";
      item.append(link);
      list.append(item);
    }
    if (location.pathname === "/ho-so/cho-gui") link.setAttribute("aria-current", "page");
    link.parentElement.hidden = number === 0;
    link.textContent = say("waiting", { number });
  }

  // --- signing out ----------------------------------------------------------------------------------
  const out = document.querySelector("form.sign-out");
  out?.addEventListener("submit", async (event) => {
    event.preventDefault();
    await quay.sendAll().catch(() => {});
    const { rows } = await quay.rows().catch(() => ({ rows: [] }));
    const left = rows.filter((each) => each.state !== "sent").length;
    if (left && !document.getElementById("con-cho")) {
      warn(say("left", { number: left }));
      return;
    }
    if (await lock()) out.submit();
    else warn(say("left_offline"));
  });

  // The person goes; false where there is no line to tell the server, which is told later.
  async function lock() {
    await quay.leave().catch(() => {});
    localStorage.setItem(LEFT, "1");
    const asked = await fetch("/ho-so/ban-nhap/ve", { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(LONG_MS) }).catch(() => null);
    if (asked && [200, 401].includes(asked.status)) {
      await caches.delete(FORMS).catch(() => {});
      return true;
    }
    return false;
  }
  quay.lock = lock;

  function warn(text) {
    document.getElementById("con-cho")?.remove();
    const note = document.createElement("div");
    note.id = "con-cho";
    note.className = "notice bad";
    note.tabIndex = -1;
    note.setAttribute("role", "alert");
    const words = document.createElement("p");
    words.textContent = text;
    note.append(words);
    document.getElementById("noi-dung").prepend(note);
    for (const button of out.querySelectorAll("button")) { button.disabled = false; button.removeAttribute("aria-busy"); }
    note.focus();
  }

  // --- blank forms ----------------------------------------------------------------------------------
  const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });
  async function keepPage(path, version, rest = 0) {
    const forms = await caches.open(FORMS);
    const address = `${path}?trong=1`;
    const before = await forms.match(address);
    const age = Date.now() - Number(before?.headers.get("X-Kept-At") ?? 0);
    if (before && before.headers.get("X-Kept-By") === version && age >= 0 && age < FRESH_MS) return before.text();
    const answer = await fetch(address, { cache: "no-store", redirect: "manual" });
    if (answer.type === "opaqueredirect") throw new Error("signed out");
    if ([404, 410].includes(answer.status)) await forms.delete(address);
    if (!answer.ok) return null;
    const text = await answer.text();
    await keepFiles(text);
    const headers = { "X-Kept-At": String(Date.now()), "X-Kept-By": version };
    for (const name of ["Content-Type", "Content-Security-Policy", "X-Content-Type-Options"]) {
      if (answer.headers.has(name)) headers[name] = answer.headers.get(name);
    }
    await forms.put(address, new Response(text, { headers }));
    if (rest) await pause(rest);
    return text;
  }
  async function keepFiles(text) {
    const files = await caches.open(FILES);
    const page = new DOMParser().parseFromString(text, "text/html");
    for (const each of page.querySelectorAll("link[href], script[src], img[src]")) {
      const address = each.getAttribute("href") ?? each.getAttribute("src");
      if (!/^\/(lienthong|intake)\//.test(address) || (await files.match(address))) continue;
      const answer = await fetch(address);
      if (!answer.ok) continue;
      await files.delete(address, { ignoreSearch: true });
      await files.put(address, answer);
    }
  }
  async function keepForms() {
    const version = `${worker} ${owner} ${document.documentElement.lang}`;
    const here = location.pathname;
    if (/^\/ho-so\/moi\/[^/]+$/.test(here)) await keepPage(here, version);
    for (const path of ["/ho-so/cho-gui", "/ho-so/cho-gui/giay"]) await keepPage(path, version);
    const list = await keepPage("/ho-so/moi", version);
    if (!list) return;
    const links = new DOMParser().parseFromString(list, "text/html").querySelectorAll("a[href^='/ho-so/moi/']");
    const paths = Array.from(links, (link) => link.getAttribute("href"));
    const forms = await caches.open(FORMS);
    for (const { url } of await forms.keys()) {
      const { pathname } = new URL(url);
      if (/^\/ho-so\/moi\/./.test(pathname) && !paths.includes(pathname)) await forms.delete(url);
    }
    // What work offline begins with is there at once; for the rest nobody else is kept waiting.
    for (const path of paths) await keepPage(path, version, PAUSE_MS);
  }

  async function work() {
    await quay.ready;
    await count();
    if (owner && worker && navigator.serviceWorker) {
      await navigator.serviceWorker.register(worker, { scope: "/ho-so", updateViaCache: "none" });
      navigator.locks.request("lienthong-trang", { ifAvailable: true }, (lock) => lock && keepForms()).catch(() => {});
    }
    if (owner) await settle();
    else if (blank !== undefined) probe();
    if (owner || blank !== undefined) await send();
  }
  work().catch(() => {});
  window.addEventListener("online", () => { wait = FIRST_MS; send(true).catch(() => {}); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) send().catch(() => {}); });
  quay.onChange(() => count().catch(() => {}));
})();
