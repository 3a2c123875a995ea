/* The desk's service worker: opens the desk's forms while the line is away. It decides nothing.

   Pages come from the line whenever there is one; only blank ones, without a person, are kept (offline.js
   puts them there). Static files are kept under addresses that name their content, so that an old worker
   cannot hold an old page. Where its own file is gone from the server, it goes too. */
"use strict";
importScripts("/intake/offline-store.js");
const FORMS = "lienthong-to-khai";
const FILES = "lienthong-tep";
const PATIENCE_MS = 10000;
const LOOK_MS = 10 * 60 * 1000;
const DOWN = [502, 503, 504];
let looked = 0;
let gone = false;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("sync", (event) => {
  if (event.tag === "lienthong-gui" && self.lienthongQuay) event.waitUntil(self.lienthongQuay.sendAll());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (request.method === "GET") event.respondWith(page(event, url));
    else if (/^\/ho-so\/moi\/[^/]+$/.test(url.pathname)) event.respondWith(filing(request, url));
  } else if (request.method === "GET" && /^\/(lienthong|intake)\//.test(url.pathname)) {
    event.respondWith(file(request, url));
  }
});

async function page(event, url) {
  const forms = await caches.open(FORMS);
  const kept = await forms.match(`${url.pathname}?trong=1`);
  try {
    const asked = fetch(event.request);
    const answer = kept ? await Promise.race([asked, late()]) : await asked;
    if (kept && (!answer || DOWN.includes(answer.status))) return kept;
    if (answer.ok) event.waitUntil(look());
    return answer;
  } catch {
    // Any other page: what waits, which says that the line is away.
    return kept ?? (await forms.match("/ho-so/cho-gui?trong=1")) ?? Response.error();
  }
}

const late = () => new Promise((done) => { setTimeout(done, PATIENCE_MS, null); });

// A form that did not get through: back to it, with what was typed; its token lets it be filed once.
async function filing(request, url) {
  const back = new URL(url);
  back.searchParams.set("lai", "1");
  try {
    const answer = await fetch(request);
    return DOWN.includes(answer.status) ? Response.redirect(back, 303) : answer;
  } catch {
    return Response.redirect(back, 303);
  }
}

async function file(request, url) {
  if (gone) return fetch(request);
  const files = await caches.open(FILES);
  const named = url.searchParams.has("v") || url.pathname.endsWith(".woff2");
  const kept = named ? await files.match(request) : undefined;
  if (kept) return kept;
  try {
    const answer = await fetch(request);
    if (answer.ok && named) {
      await files.delete(request, { ignoreSearch: true });
      await files.put(request, answer.clone()).catch(() => {});
    }
    return answer;
  } catch {
    return (await files.match(request, { ignoreSearch: true })) ?? Response.error();
  }
}

async function look() {
  if (Date.now() - looked < LOOK_MS && Date.now() >= looked) return;
  looked = Date.now();
  const answer = await fetch(self.location.href, { method: "HEAD", cache: "no-store" }).catch(() => null);
  if (answer && (answer.status === 404 || answer.status === 410)) {
    gone = true;
    await Promise.all([caches.delete(FORMS), caches.delete(FILES)]);
    await self.registration.unregister();
  }
}
