/* At the desk: procedures narrow as one types; on the form, what saves keys. Nothing here is needed:
   without it the search is sent, and every field is typed. */
"use strict";
(() => {
  const say = self.lienthongWords();
  const visible = (each) => !each.closest("[hidden]") && each.offsetParent !== null;

  function tell(where, words) {
    where.querySelector("[role=status]").textContent = words;
  }

  // --- the procedures that an office takes in ---------------------------------------------------

  const search = document.querySelector("[data-procedures]");
  if (search) {
    const input = search.elements.namedItem("tim");
    const all = document.querySelector("[data-all]");
    const results = document.querySelector("[data-results]");
    const none = document.querySelector("[data-none]");
    const items = [...all.querySelectorAll("[data-words]")];
    const plain = (text) =>
      text.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase();
    const links = () => [...search.parentElement.querySelectorAll("[data-words] a")].filter(visible);

    // As choosing.py finds them: all words somewhere; side by side, early, in a short name first.
    function find(words) {
      const place = ({ name }) => {
        const at = name.indexOf(words.join(" "));
        return at < 0 ? name.length : at;
      };
      return items
        .filter((each) => words.every((word) => each.dataset.words.includes(word)))
        .sort((one, other) =>
          place(one.dataset) - place(other.dataset) || one.dataset.name.length - other.dataset.name.length);
    }

    function narrow() {
      const words = plain(input.value).split(/\s+/).filter(Boolean);
      const found = words.length ? find(words) : [];
      results.replaceChildren(...found.map((each) => each.cloneNode(true)));
      results.hidden = !found.length;
      all.hidden = words.length > 0;
      none.hidden = !words.length || found.length > 0;
      tell(search, words.length ? say("found", { number: found.length }) : "");
    }

    input.addEventListener("input", narrow);
    window.addEventListener("pageshow", narrow); // Back: the browser has put the words in again
    search.addEventListener("submit", (event) => {
      event.preventDefault();
      narrow();
      if (input.value.trim()) links()[0]?.click();
    });
    document.addEventListener("keydown", (event) => {
      if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
      const found = links();
      const at = found.indexOf(document.activeElement);
      const idle = document.activeElement === document.body; // who types at once is not waited for
      if (at < 0 && document.activeElement !== input && !idle) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        const to = at + (event.key === "ArrowDown" ? 1 : -1);
        (to < 0 ? input : found[Math.min(to, found.length - 1)])?.focus();
      } else if (document.activeElement !== input && event.key !== "?" && (event.key.length === 1 || event.key === "Backspace")) {
        input.focus(); // and the letter falls into it
      }
    });
  }

  // --- the form ---------------------------------------------------------------------------------

  const form = document.querySelector("form[data-draft]");
  const inputs = () =>
    [...form.elements].filter((each) => each.type !== "hidden" && each.type !== "button" && visible(each));
  if (form) {
    // Where typing begins, unless the page has something to be read first.
    if (!document.querySelector("[data-first], [role=alert]:not([hidden])") && !location.hash) {
      inputs().find((each) => each.name.startsWith("f."))?.focus();
    }
    // Enter goes to the next field, as in the programs that officers know: it must not file.
    form.addEventListener("keydown", (event) => {
      const bare = !event.ctrlKey && !event.altKey && !event.shiftKey && !event.metaKey;
      if (event.key !== "Enter" || !bare || event.isComposing || !event.target.matches("input")) return;
      event.preventDefault();
      const all = inputs();
      all[all.indexOf(event.target) + 1]?.focus();
    });
  }

  // Who hands it in is one of those on the declaration: each press takes the next who is written.
  const people = document.querySelector("[data-people]");
  if (people) {
    const name = form.elements.namedItem("c.name");
    const buttons = [...people.querySelectorAll("[data-copy]")];
    const written = (button) => form.elements.namedItem(button.dataset.copy)?.value.trim() ?? "";
    people.hidden = false;
    people.addEventListener("click", (event) => {
      const ready = buttons.filter(written);
      const next = ready.findIndex((each) => written(each) === name.value.trim()) + 1;
      const chosen = event.target.closest("[data-copy]") ?? ready[next % ready.length];
      if (!chosen || !written(chosen)) {
        tell(people, say("nameless"));
        return;
      }
      name.value = written(chosen);
      name.dispatchEvent(new Event("input", { bubbles: true }));
      tell(people, say("applicant", { name: name.value }));
      const after = inputs();
      after[after.indexOf(name) + 1]?.focus();
    });
  }

  // Exactly what is asked for; what was counted beyond it stays.
  for (const fill of document.querySelectorAll("[data-fill]")) {
    fill.hidden = false;
    fill.querySelector("button").addEventListener("click", () => {
      for (const input of fill.parentElement.querySelectorAll("[data-asked]")) {
        if (Number(input.value) >= Number(input.dataset.asked)) continue;
        input.value = input.dataset.asked;
        input.dispatchEvent(new Event("input", { bubbles: true }));
      }
      tell(fill, say("filled"));
    });
  }
})();
