/* The little that htmx does not do by itself: the form token, a word when the line is down, the
   keyboard's shortcuts and their help, and days that are typed without slashes. */
"use strict";
(() => {
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  const toast = document.getElementById("thong-bao");
  let timer;

  function say(words) {
    clearTimeout(timer);
    toast.textContent = words;
    toast.hidden = false;
    timer = setTimeout(() => { toast.hidden = true; }, 8000);
  }

  // The words of the script that is being run, out of its own element; a name in one is filled in.
  self.lienthongWords = () => {
    const words = JSON.parse(document.currentScript.dataset.words);
    return (key, values = {}) => words[key].replace(/%\((\w+)\)s/g, (_, name) => values[name]);
  };

  document.body.addEventListener("htmx:configRequest", (event) => {
    if (token) event.detail.headers["X-CSRFToken"] = token;
  });
  document.body.addEventListener("htmx:sendError", () => say(toast.dataset.away));
  document.body.addEventListener("htmx:responseError", (event) => {
    const busy = event.detail.xhr.status === 429;
    say(busy ? toast.dataset.busy : toast.dataset.failed);
  });

  // What must be read first: the faults of a form that came back, or that an act was done.
  document.querySelector("[data-first]")?.focus();

  document.querySelectorAll("[data-print]").forEach((button) => {
    button.addEventListener("click", () => window.print());
  });

  // Alt and a letter does what carries it as data-key; Ctrl and Enter sends the form one is in. The
  // letters are those that no browser, screen reader or Vietnamese typing program has with Alt alone;
  // the key's place counts, so that what a typing program makes of it does not.
  const help = document.getElementById("phim-tat");
  const opener = document.querySelector("[data-keys-help]");
  const seen = (each) => (each.checkVisibility ? each.checkVisibility() : each.offsetParent !== null);
  const keyed = () => [...document.querySelectorAll("[data-key]")].filter(seen);

  function meant(event) {
    if (event.isComposing || event.metaKey || event.repeat) return null;
    if (event.ctrlKey) return event.key === "Enter" && !event.altKey && !event.shiftKey ? "Enter" : null;
    if (!event.altKey || event.shiftKey) return null;
    if (event.code === "Slash") return "/";
    return /^Key[A-Z]$/.test(event.code) ? event.code.slice(3) : event.key.toUpperCase();
  }

  function name(each) {
    const words = each.cloneNode(true);
    words.querySelectorAll("kbd").forEach((key) => key.remove());
    return each.dataset.keySays || each.getAttribute("aria-label") || words.textContent.trim();
  }

  function explain() {
    const rows = new Map(keyed().map((each) => [each.getAttribute("aria-keyshortcuts"), name(each)]).reverse());
    const list = help.querySelector("dl");
    list.replaceChildren();
    for (const [key, words] of [...rows].reverse().concat([["Alt+/", list.dataset.this]])) {
      const row = list.appendChild(document.createElement("div"));
      row.appendChild(document.createElement("dt")).textContent = key.replace("Control", "Ctrl");
      row.appendChild(document.createElement("dd")).textContent = words;
    }
    help.showModal();
  }

  document.addEventListener("keydown", (event) => {
    const key = meant(event);
    if (!key || help?.open) return;
    if (key === "/") {
      event.preventDefault();
      explain();
      return;
    }
    // A question that was asked is not answered by pressing the same keys once more.
    if (key === "Enter" && event.target.closest("[data-deliberate]")) return;
    const near = key === "Enter" && event.target.form?.querySelector('button[type="submit"]');
    const target = near || keyed().find((each) => each.dataset.key === key);
    if (!target) return;
    event.preventDefault();
    if (target.matches("input")) target.select();
    target.matches("input") ? target.focus() : target.click();
  });
  if (help && opener && keyed().length) {
    opener.hidden = false;
    opener.addEventListener("click", explain);
  }

  // What was typed as 05032022 is shown as it is read.
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-day]")) return;
    const parts = event.target.value.trim().match(/^(\d\d)(\d\d)(\d{4})$/);
    if (parts) event.target.value = parts.slice(1).join("/");
  });

  // The same page in another language is the one whose address the page has by now (a draft's, say).
  document.querySelectorAll(".languages a").forEach((link) => {
    link.addEventListener("click", () => {
      const here = new URL(location.href);
      here.searchParams.set("lang", link.lang);
      link.href = here.href;
    });
  });

  // A form that is sent twice by a double click would only be refused; better not to send it.
  document.addEventListener("submit", (event) => {
    const button = event.target.querySelector('button[type="submit"]');
    if (!button || event.defaultPrevented || event.target.hasAttribute("hx-post")) return;
    setTimeout(() => { button.setAttribute("aria-busy", "true"); button.disabled = true; }, 0);
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll('button[type="submit"][aria-busy]').forEach((button) => {
      button.removeAttribute("aria-busy");
      button.disabled = false;
    });
  });
})();
