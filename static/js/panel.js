// What the panel gains with a script: one key instead of a reach for the mouse. Without it, every page works the same.

const list = () => document.querySelector("[data-keys] tbody");
const typing = (at) => at.closest("input, textarea, select, [contenteditable]");
let here = -1;

function rows() {
  return [...(list()?.rows ?? [])];
}

function go(to) {
  const all = rows();
  if (!all.length) return;
  all[here]?.classList.remove("here");
  here = Math.max(0, Math.min(to, all.length - 1));
  const row = all[here];
  row.classList.add("here");
  row.querySelector("a").focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function press(row, kind) {
  const act = row?.querySelector("td.act .button");
  if (!act) return;
  if (kind === "accept" && act.classList.contains("main")) act.click();
  if (kind === "ship" && act.matches("a:not(.main, .plain)")) act.click();
}

function shortcut(key) {
  const marked = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key);
  if (!marked) return false;
  if (marked.matches("input")) marked.select();
  else marked.click();
  return true;
}

const keys = {
  j: () => go(here + 1),
  k: () => go(here - 1),
  x: () => rows()[here]?.querySelector(".pick input")?.click(),
  a: () => press(rows()[here], "accept"),
  s: () => press(rows()[here], "ship"),
  Enter: () => rows()[here]?.querySelector("a")?.click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") {
    const open = event.target.closest("details[open]") ?? document.querySelector("details[open]:is(.why, .dialog, .account)");
    if (open) {
      open.open = false;
      open.querySelector("summary").focus();
    } else if (typing(event.target)) event.target.blur();
    return;
  }
  if (typing(event.target)) return;
  if (event.key === "Enter" && event.target !== document.body) return;
  if (shortcut(event.key) || (list() && keys[event.key] && (keys[event.key](), true))) event.preventDefault();
});

// A click beside an open panel closes it.
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details[open]:is(.why, .dialog, .account)")) {
    if (!open.contains(event.target)) open.open = false;
  }
});

document.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-all]")) return;
  for (const box of target.closest("table").querySelectorAll(".pick [name]")) box.checked = target.checked;
});

// A form is sent once: a second press while the first is under way does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// htmx brought something else than the part it asked for (the sign-in page, an error): show it as a page of its own.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, target } = event.detail;
  if (!target.id || xhr.responseText.includes(`id="${target.id}"`)) return;
  event.detail.shouldSwap = false;
  location.assign(event.detail.pathInfo.finalRequestPath);
});
document.addEventListener("htmx:sendError", (event) => location.assign(event.detail.pathInfo.finalRequestPath));
document.addEventListener("htmx:afterSwap", () => {
  here = -1;
  const tab = document.querySelector(".tabs [aria-current]");
  tab?.scrollIntoView({ block: "nearest", inline: "center" });
});
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
