// Keyboard keys and small comforts. Everything works without this file.
"use strict";
(() => {
  const typing = (e) => e.target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
  const on = document.getElementById("keys-on");
  const off = () => localStorage.getItem("keys") === "off";
  if (on) {
    on.checked = !off();
    on.addEventListener("change", () => localStorage.setItem("keys", on.checked ? "on" : "off"));
  }

  const rows = () => [...document.querySelectorAll("[data-rows] tbody tr")];
  const here = () => document.activeElement && document.activeElement.closest("[data-rows] tbody tr");
  const step = (by) => {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(here());
    const to = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))];
    const link = to.querySelector("a");
    link.focus();
    link.scrollIntoView({ block: "nearest" });
  };
  const tick = () => {
    const row = here();
    const box = row && row.querySelector("input[type=checkbox]");
    if (box) box.checked = !box.checked;
  };
  const press = (key) => {
    const found = [...document.querySelectorAll("[data-key]")].find((e) => e.dataset.key === key && e.offsetParent !== null);
    if (!found) return false;
    if (found.matches("input:not([type=radio]), textarea, select")) found.focus();
    else if (key === "a" && found.closest("#bulk")) {
      if (!document.querySelector("#bulk input[name=alert]:checked")) tick();
      found.click();
    } else found.click();
    return true;
  };

  let before = "";
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.altKey || e.metaKey || e.isComposing) return;
    if (e.key === "Escape" && typing(e)) return void e.target.blur();
    if (typing(e) || document.querySelector("dialog[open]") || off()) return;
    const key = before + e.key;
    before = "";
    if (key === "j") step(1);
    else if (key === "k") step(-1);
    else if (key === "x") tick();
    else if (key === "g") before = "g ";
    else if (!press(key)) return;
    e.preventDefault();
  });

  document.addEventListener("click", (e) => {
    const opener = e.target.closest("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens).showModal();
  });
  document.addEventListener("change", (e) => {
    if (!e.target.matches("[data-all]")) return;
    for (const box of document.querySelectorAll("#bulk input[name=alert]")) box.checked = e.target.checked;
  });
  document.addEventListener("htmx:pushedIntoHistory", () => {
    const query = document.getElementById("view-query");
    if (query) query.value = location.search.slice(1);
  });
})();
