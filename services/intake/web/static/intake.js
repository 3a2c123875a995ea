/* Intake's own: a paper that was asked for prints by itself, once; the code of a paper's square. */
"use strict";
(() => {
  if (document.querySelector("[data-print-now]")) {
    document.fonts.ready.then(() => window.print());
  }

  // What stands behind the number sign never leaves the phone: no server, so no log, has seen it.
  const input = document.querySelector('form input[name="code"]');
  const code = location.hash.slice(1);
  if (input && !input.value && /^[0-9A-Za-z.-]{10,60}$/.test(code)) {
    input.value = code;
    document.querySelector('input[name="word"]')?.focus();
  }
})();
