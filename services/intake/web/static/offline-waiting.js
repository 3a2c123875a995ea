/* The pages of what waits in this browser: the list, and the slip for the citizen. */
"use strict";
(async () => {
  const quay = self.lienthongQuay;
  const say = self.lienthongWords();
  const at = (id) => document.getElementById(id);
  const show = (id, yes = true) => { if (at(id)) at(id).hidden = !yes; };
  if (!quay) {
    show("khong-giu");
    show("khong-thay");
    return;
  }
  await quay.ready;
  const parts = new Intl.DateTimeFormat("en-GB", {
    day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "Asia/Ho_Chi_Minh",
  });
  function minute(instant) {
    const of = Object.fromEntries(parts.formatToParts(instant).map(({ type, value }) => [type, value]));
    return say("at", { time: `${of.hour}:${of.minute}`, day: `${of.day}/${of.month}/${of.year}` });
  }

  // --- the list ---------------------------------------------------------------------------------
  function link(words, href) {
    return Object.assign(document.createElement("a"), { textContent: words, href });
  }
  function acts(row) {
    if (row.state === "sent") return [link(say("receipt"), `/ho-so/${row.dossier}/giay-hen`)];
    const open = link(say(row.state === "refused" ? "mend" : "open"), `/ho-so/moi/${row.code}?nhap=${encodeURIComponent(row.id)}`);
    const slip = link(say("slip"), `/ho-so/cho-gui/giay#${row.id}`);
    const drop = Object.assign(document.createElement("button"), { type: "button", className: "small outline", textContent: say("drop") });
    drop.setAttribute("aria-label", say("drop_one", row));
    drop.addEventListener("click", async () => {
      if (!drop.dataset.sure) {
        drop.dataset.sure = "1";
        drop.removeAttribute("aria-label"); // it is read with its question from now on
        drop.textContent = say("drop_sure", row);
        return;
      }
      await quay.dropRow(row.id);
      await list();
    });
    return [open, " · ", slip, " ", drop];
  }
  function line(row) {
    const made = at("hang-cho").content.cloneNode(true);
    const cells = made.querySelectorAll("th, td");
    const state = document.createElement("strong");
    state.textContent = say(row.state);
    const told = row.state === "sent" ? [": ", Object.assign(link(row.dossier, `/ho-so/${row.dossier}`), { className: "code" })] : row.reasons.map((words) => `. ${words}`);
    [[row.number], [row.applicant], [row.title], [minute(row.at)], [state, ...told], acts(row)]
      .forEach((parts, place) => {
        const whole = document.createElement("span"); // a cell of a stacked table lays out its children side by side
        whole.append(...parts);
        cells[place].append(whole);
      });
    return made;
  }
  async function list() {
    const { rows, locked, signedIn } = await quay.rows();
    at("cho").querySelector("tbody").replaceChildren(...rows.map(line));
    show("cho", rows.length > 0);
    show("trong", rows.length === 0 && locked === 0);
    show("gui-ngay", rows.some((each) => each.state === "waiting"));
    show("dang-khoa", locked > 0);
    show("khoa-may", signedIn && "blank" in document.body.dataset);
    at("dang-khoa").querySelector("[data-words]").textContent = say(signedIn ? "locked_for_other" : "locked", { number: locked });
    const typed = await quay.unsaved();
    at("go-do").querySelector("ul").replaceChildren(...typed.map((each) => {
      const item = document.createElement("li");
      item.append(link(each.applicant || say("nameless"), `/ho-so/moi/${each.code}?nhap=${encodeURIComponent(each.id)}`), ` – ${each.title}, ${minute(each.at)}`);
      return item;
    }));
    show("go-do", typed.length > 0);
  }

  // --- the slip ---------------------------------------------------------------------------------
  async function slip() {
    const row = await quay.row(decodeURIComponent(location.hash.slice(1)));
    show("khong-thay", !row);
    show("giay-tam", Boolean(row));
    if (!row) return;
    show("da-giu", row.state !== "sent");
    show("da-gui", row.state === "sent");
    if (row.state === "sent") {
      document.querySelector("[data-code]").textContent = row.dossier;
      document.querySelector("[data-receipt]").href = `/ho-so/${row.dossier}/giay-hen`;
    }
    const told = { ...row, at: minute(row.at) };
    for (const name of ["number", "word", "applicant", "title", "at"]) {
      document.querySelector(`[data-slip="${name}"]`).textContent = told[name];
    }
    document.querySelector('[data-slip="papers"]').replaceChildren(...row.listed.map((words) => {
      const item = document.createElement("li");
      item.textContent = words;
      return item;
    }));
  }

  const refresh = at("cho") ? list : slip;
  if (location.pathname === "/ho-so/cho-gui") show("trang-khac", false);
  at("khoa-may")?.addEventListener("click", async () => {
    if (await quay.lock()) location.assign("/ho-so");
    else await refresh();
  });
  at("gui-ngay")?.addEventListener("click", () => quay.send(true));
  document.addEventListener("lienthong:sent", (event) => {
    if (at("cho-gui-tin")) at("cho-gui-tin").textContent = ["away", "signed-out", "other"].includes(event.detail.state) ? say(event.detail.state) : "";
    refresh();
  });
  quay.onChange(refresh);
  window.addEventListener("hashchange", refresh);
  await refresh();
})();
