/* The little that htmx does not do by itself: the form token, and a word when the line is down. */
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

  document.body.addEventListener("htmx:configRequest", (event) => {
    if (token) event.detail.headers["X-CSRFToken"] = token;
  });
  document.body.addEventListener("htmx:sendError", () => say("Mất kết nối. Vui lòng thử lại."));
  document.body.addEventListener("htmx:responseError", (event) => {
    const busy = event.detail.xhr.status === 429;
    say(busy ? "Quá nhiều lần thử. Vui lòng đợi một phút." : "Chưa thực hiện được. Vui lòng tải lại trang.");
  });

  // What must be read first: the faults of a form that came back, or that an act was done.
  document.querySelector("[data-first]")?.focus();

  document.querySelectorAll("[data-print]").forEach((button) => {
    button.addEventListener("click", () => window.print());
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
