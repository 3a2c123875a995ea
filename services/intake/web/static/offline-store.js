/* What the desk's browser keeps while the line is away: what is typed, and what waits to be sent.

   All of it is sealed (AES-GCM) under a key that the server gives to one person at one office alone, for a
   term of this browser. The key goes with the sign-out or the end of the sign-in; what is sealed stays
   and opens again for the same person. Pages and the service worker share this file. */
"use strict";
self.lienthongQuay = (() => {
  const subtle = self.isSecureContext ? self.crypto?.subtle : null;
  if (!subtle || !self.indexedDB) return null; // without https nothing is kept here
  // Reasons are kept as names of sentences, for pages alone have words: the service worker has none.
  const say = self.lienthongWords?.();
  const inWords = (found) => found
    && { ...found, reasons: found.reasons.map((each) => (say && each.key ? say(each.key, each) : each)) };
  const AREA = "/ho-so/cho-gui";
  const LIMIT_MS = 30000;
  const DAY_MS = 24 * 3600 * 1000;
  const KEPT_MS = 7 * DAY_MS;
  const LETTERS = "34679ACDEFGHJKMNPQRTUVWXY";
  const channel = new BroadcastChannel("lienthong-quay");
  const AWAY = [429, 502, 503, 504];
  let opening = null;
  let held = null; // the key of this page, also after the browser has let go of it

  // --- the database -----------------------------------------------------------------------------
  function database() {
    opening ??= new Promise((done, fail) => {
      const asked = indexedDB.open("lienthong-quay", 1);
      asked.onupgradeneeded = () => {
        asked.result.createObjectStore("meta");
        asked.result.createObjectStore("typed", { keyPath: "id" });
        asked.result.createObjectStore("waiting", { keyPath: "id" });
      };
      asked.onsuccess = () => {
        asked.result.onclose = asked.result.onversionchange = () => { asked.result.close(); opening = null; };
        done(asked.result);
      };
      asked.onblocked = asked.onerror = () => { opening = null; fail(asked.error ?? new Error("blocked")); };
    });
    return opening;
  }

  // One transaction; `work` gives requests whose results are told in the same shape.
  async function within(stores, mode, work) {
    const opened = await database();
    return new Promise((done, fail) => {
      const unit = opened.transaction(stores, mode, { durability: "strict" });
      let given;
      unit.oncomplete = () => done(given instanceof IDBRequest ? given.result : given);
      unit.onerror = unit.onabort = () => fail(unit.error ?? new Error("aborted"));
      try {
        given = work(...stores.map((name) => unit.objectStore(name)));
      } catch (broken) {
        unit.abort();
        fail(broken);
      }
    });
  }
  const get = (store, key) => within([store], "readonly", (all) => all.get(key));
  const put = (store, value, key) => within([store], "readwrite", (all) => { all.put(value, key); });
  const drop = (store, key) => within([store], "readwrite", (all) => { all.delete(key); });
  const every = (store) => within([store], "readonly", (all) => all.getAll());

  // --- whose it is --------------------------------------------------------------------------------
  const base64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const random = (bytes) => Array.from(crypto.getRandomValues(new Uint8Array(bytes)),
    (each) => each.toString(16).padStart(2, "0")).join("");
  const word = () => Array.from({ length: 6 }, () => {
    let drawn;
    do [drawn] = crypto.getRandomValues(new Uint8Array(1)); while (drawn >= 250);
    return LETTERS[drawn % LETTERS.length];
  }).join("");

  // Who may read here now; null where nobody is signed in, as far as this browser knows.
  async function who() {
    const known = await get("meta", "who");
    if (known && known.until > Date.now() && known.made <= Date.now() + DAY_MS) {
      if (held?.owner !== known.owner || held.term !== known.term) held = known;
    } else if (known) {
      await forgetKey();
    }
    return held;
  }

  async function asked(term) {
    const answer = await fetch(`${AREA}/khoa?e=${term}`, {
      headers: { Accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(LIMIT_MS),
    });
    if (!answer.ok) return { status: answer.status };
    const told = await answer.json();
    const key = await subtle.importKey("raw", base64(told.key), "AES-GCM", false, ["encrypt", "decrypt"]);
    return { ...told, status: 200, key };
  }

  // A page of this person was shown: get their key where it is not here; let go of anybody else's.
  async function acquaint(owner) {
    const known = await get("meta", "who");
    const mine = known?.owner === owner;
    if (mine && known.until - Date.now() > DAY_MS / 24 && Date.now() - known.made < DAY_MS / 48 && Date.now() >= known.made) {
      held = known;
      return true;
    }
    if (known && !mine) await forgetKey();
    const terms = (await get("meta", "terms")) ?? {};
    const term = terms[owner] ?? random(16);
    const told = await asked(term);
    if (told.status !== 200) {
      if (told.status === 401) await forgetKey();
      return false;
    }
    const now = Date.now();
    held = { owner: told.owner, term, key: told.key, made: now, until: now + told.left * 1000, skew: told.now - now };
    await within(["meta"], "readwrite", (meta) => {
      meta.put(held, "who");
      meta.put({ ...terms, [told.owner]: term }, "terms");
      const series = meta.get("series");
      series.onsuccess = () => { if (!series.result) meta.put({ series: told.series, last: 0 }, "series"); };
    });
    return true;
  }

  // The sign-in is over: what is sealed stays, and nobody reads it until the same person is here again.
  const forgetKey = () => drop("meta", "who");

  // The person goes: typing is gone, what waits stays sealed, the next key is another.
  async function leave() {
    const me = await who();
    held = null;
    await within(["meta", "typed"], "readwrite", (meta, typed) => {
      meta.delete("who");
      const terms = meta.get("terms");
      terms.onsuccess = () => {
        const left = { ...terms.result };
        delete left[me?.owner];
        meta.put(left, "terms");
      };
      const all = typed.getAll();
      all.onsuccess = () => all.result.filter((each) => each.owner === me?.owner).forEach((each) => typed.delete(each.id));
    });
    changed();
  }

  // --- sealing ------------------------------------------------------------------------------------
  async function seal(me, what) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const data = await subtle.encrypt({ name: "AES-GCM", iv }, me.key, new TextEncoder().encode(JSON.stringify(what)));
    return { owner: me.owner, term: me.term, iv, data };
  }

  const others = new Map(); // keys of terms that are over
  async function keyOf(me, record) {
    if (record.owner !== me.owner) return null;
    if (record.term === me.term) return me.key;
    if (!others.has(record.term)) {
      const told = await asked(record.term);
      if (told.status !== 200 || told.owner !== me.owner) return null;
      others.set(record.term, told.key);
    }
    return others.get(record.term);
  }

  async function unseal(me, record) {
    try {
      const key = me && (await keyOf(me, record));
      if (!key) return null;
      const text = await subtle.decrypt({ name: "AES-GCM", iv: record.iv }, key, record.data);
      return { ...record, ...JSON.parse(new TextDecoder().decode(text)) };
    } catch {
      return null;
    }
  }

  // --- what is typed ------------------------------------------------------------------------------
  // "other" where another page has typed there what the server does not have; `before` is that which this goes on from.
  async function keepTyped({ id, code, page, server, synced, sent, before, ...inner }) {
    const me = await who();
    if (!me) return false;
    const there = await get("typed", id);
    if (there && there.owner === me.owner && !there.synced && ![page, before].includes(there.page)) return "other";
    await put("typed", { id, code, page, server, synced, sent, at: Date.now(), ...(await seal(me, inner)) });
    return true;
  }
  async function dropTyped(id, page) {
    const there = await get("typed", id);
    if (there && (!page || there.page === page)) await drop("typed", id);
  }
  async function typed(id) {
    const record = id ? await get("typed", id) : null;
    return record ? unseal(await who(), record) : null;
  }
  // What only this browser has; what is old goes by the way.
  async function unsaved() {
    const me = await who();
    const all = await every("typed");
    const old = all.filter((each) => Math.abs(Date.now() - each.at) > KEPT_MS || (each.synced && Math.abs(Date.now() - each.at) > DAY_MS));
    for (const each of old) await drop("typed", each.id);
    const read = await Promise.all(all.filter((each) => !each.synced && !old.includes(each)).map((each) => unseal(me, each)));
    return read.filter(Boolean).map((each) => ({ ...each, at: each.at + me.skew }));
  }

  // --- what waits ---------------------------------------------------------------------------------
  // ISO 7064 MOD 97-10, as an IBAN has it.
  const remainder = (text) => Array.from(text, (each) => parseInt(each, 36)).join("").split("")
    .reduce((left, digit) => (left * 10 + Number(digit)) % 97, 0);
  function numbered(series, count) {
    const told = `${series}${String(count).padStart(4, "0")}`;
    return `TT-${series}-${String(count).padStart(4, "0")}-${String(98 - remainder(`${told}00`)).padStart(2, "0")}`;
  }

  // Keep what was handed in, with a number of this browser's series; one transaction, or an error.
  const INNER = ["inputs", "title", "applicant", "listed", "word", "reasons"];
  async function handIn({ id, code, inputs, title, applicant, listed }) {
    const me = await who();
    if (!me) throw new Error("locked");
    await navigator.storage?.persist?.().catch(() => false);
    const before = await get("waiting", id);
    const own = before ? crypto.randomUUID() : id; // the same form, handed in from two tabs
    const given = inputs.map(([name, value]) => (name === "token" ? [name, own] : [name, value]));
    const sealed = await seal(me, { inputs: given, title, applicant, listed, word: word(), reasons: [] });
    await within(["waiting", "meta", "typed"], "readwrite", (waiting, meta, all) => {
      const series = meta.get("series");
      series.onsuccess = () => {
        const { series: name, last } = series.result;
        meta.put({ series: name, last: last + 1 }, "series");
        const row = { id: own, n: last + 1, state: "waiting", code, number: numbered(name, last + 1), at: Date.now() + me.skew };
        waiting.add({ ...row, ...sealed });
        all.delete(id);
      };
    });
    changed();
    askForSync();
    return own;
  }
  async function row(id) {
    const found = id ? await get("waiting", id) : null;
    return found ? unseal(await who(), found) : null;
  }
  // This person's rows in the order in which they were taken in, and how many of others are here.
  async function rows() {
    const me = await who();
    const all = (await every("waiting")).sort((a, b) => a.n - b.n);
    const mine = all.filter((each) => me && each.owner === me.owner);
    const read = (await Promise.all(mine.map((each) => unseal(me, each)))).filter(Boolean);
    return { signedIn: Boolean(me), rows: read, locked: all.filter((each) => each.state !== "sent").length - read.filter((each) => each.state !== "sent").length };
  }
  // `of`: the version that a verdict is about; one that the officer has mended meanwhile is left alone.
  async function change(id, outer, inner, of) {
    const me = await who();
    const found = await row(id);
    if (!found || (of && String(of) !== String(found.iv))) return false;
    const { n, code, number, at } = found;
    const sealed = await seal(me, Object.fromEntries(INNER.map((name) => [name, { ...found, ...inner }[name]])));
    await put("waiting", { id, n, code, number, at, state: found.state, dossier: found.dossier, doneAt: found.doneAt, ...outer, ...sealed });
    changed();
    return true;
  }
  async function dropRow(id) {
    await drop("waiting", id);
    changed();
  }
  // What the form brings along of its slip, beside what was typed.
  const beside = (found) => [["o.number", found.number], ["o.word", found.word], ["o.at", String(Math.round(found.at))]];

  // --- sending ------------------------------------------------------------------------------------
  // One page or worker at a time; what is sent twice is filed once by its token. Whoever `queues` sends
  // after the one that is at it, whose request may have died with the line.
  function sendAll(queues = false) {
    return navigator.locks.request("lienthong-gui", { ifAvailable: !queues }, (lock) => (lock ? send() : { state: "busy" }));
  }

  async function send() {
    const me = await who();
    if (!me) return { state: "signed-out" };
    const all = (await rows()).rows;
    let ended = { state: "done" };
    for (const old of all.filter((each) => each.state === "sent" && Math.abs(Date.now() - each.doneAt) > DAY_MS)) await dropRow(old.id);
    for (const found of all.filter((each) => each.state === "waiting")) {
      let verdict;
      try {
        verdict = await sendOne(me, found);
      } catch {
        return { state: "away" };
      }
      if (verdict?.later) ended = verdict; // it holds up nobody else
      else if (verdict) return verdict;
    }
    return ended;
  }

  let csrf = null;
  async function fresh() {
    const answer = await fetch("/ho-so/ban-nhap/ve", { headers: { Accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(LIMIT_MS) });
    csrf = answer.ok ? (await answer.json()).csrf : null;
    return answer.status;
  }

  function post(me, found) {
    const body = new URLSearchParams(found.inputs.filter(([name]) => name !== "csrf_token" && !name.startsWith("o.")));
    for (const [name, value] of found.inputs) if (/\n/.test(value)) body.set(name, value.replace(/\r?\n/g, "\r\n")); // as a form sends it
    for (const [name, value] of [...beside(found), ["o.owner", me.owner], ["csrf_token", csrf ?? ""]]) body.set(name, value);
    return fetch(`${AREA}/${encodeURIComponent(found.code)}`, {
      method: "POST", body, redirect: "manual",
      headers: { Accept: "application/json", "Accept-Language": "vi" }, signal: AbortSignal.timeout(LIMIT_MS),
    });
  }

  // Nothing where the row is done with; else why to stop.
  async function sendOne(me, found) {
    if (csrf === null) await fresh();
    let answer = await post(me, found);
    if (answer.status === 400 && (await fresh()) === 200) answer = await post(me, found);
    if (AWAY.includes(answer.status) || answer.status === 0) {
      return { state: "away", after: Number(answer.headers.get("Retry-After")) || 0 };
    }
    // Whoever answers in another tongue (a hotel's page, a proxy) is not the city.
    if (!(answer.headers.get("Content-Type") ?? "").includes("json")) return { state: "away" };
    if (answer.status === 500) {
      await change(found.id, {}, { reasons: [{ key: "broken" }] }, found.iv);
      return { state: "away", later: true };
    }
    const heard = await answer.json();
    if (answer.status === 401) {
      await forgetKey();
      return { state: "signed-out" };
    }
    if (answer.status === 403) return { state: "other" };
    if (answer.status === 201 && heard.code) {
      await change(found.id, { state: "sent", dossier: heard.code, doneAt: Date.now() }, { inputs: [], reasons: [] }, found.iv);
      return null;
    }
    const reasons = heard.faults ?? [heard.detail ?? { key: "answered", status: answer.status }];
    await change(found.id, { state: "refused" }, { reasons }, found.iv);
    return null;
  }

  function askForSync() {
    const registration = self.registration ? Promise.resolve(self.registration) : navigator.serviceWorker?.getRegistration("/ho-so");
    registration?.then((found) => found?.sync?.register("lienthong-gui")).catch(() => {});
  }
  const heard = [];
  function changed() {
    channel.postMessage("changed"); // heard in every page but this one
    heard.forEach((act) => act());
  }
  function onChange(act) {
    heard.push(act);
    channel.addEventListener("message", act);
  }

  return {
    acquaint, who, forgetKey, leave, keepTyped, typed, unsaved, dropTyped,
    handIn, change, dropRow, beside, sendAll, onChange, askForSync, newId: () => crypto.randomUUID(),
    row: async (id) => inWords(await row(id)),
    rows: async () => { const found = await rows(); return { ...found, rows: found.rows.map(inWords) }; },
  };
})();
