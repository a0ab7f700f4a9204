"use strict";
// Works on the cards as they stand in the page: nothing is made from text, so nothing in a reply can become code.
(() => {
  const root = document.documentElement;
  const themes = ["auto", "light", "dark"];
  const button = document.getElementById("theme");
  const remembered = () => { try { return localStorage.getItem("modgap-theme"); } catch { return null; } };
  const show = (theme) => {
    if (theme === "auto") root.removeAttribute("data-theme"); else root.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
  };
  let theme = themes.includes(remembered()) ? remembered() : "auto";
  show(theme);
  button.hidden = false;
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    try { localStorage.setItem("modgap-theme", theme); } catch { /* private windows and some files have none */ }
    show(theme);
  });

  const tools = document.getElementById("tools");
  if (!tools) return;
  const cards = [...document.querySelectorAll(".card")];
  const field = (name) => tools.elements.namedItem(name);
  const texts = new Map();
  const textOf = (card) => {
    if (!texts.has(card)) texts.set(card, card.textContent.toLowerCase());
    return texts.get(card);
  };
  let shown = cards;
  let current = null;

  const choose = (card, scroll) => {
    if (current) current.classList.remove("current");
    current = card;
    if (!card) return;
    card.classList.add("current");
    if (scroll) { card.scrollIntoView({ block: "start" }); card.focus({ preventScroll: true }); }
  };
  const filter = () => {
    const task = field("task").value, tag = field("outcome").value, disagree = field("disagree").checked;
    const words = field("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = cards.filter((card) => {
      const fits = (!task || card.dataset.task === task)
        && (!tag || card.dataset.tags.split(" ").includes(tag))
        && (!disagree || card.dataset.tags.split(" ").includes("disagree"))
        && words.every((word) => textOf(card).includes(word));
      card.hidden = !fits;
      return fits;
    });
    document.body.classList.toggle("filtered", Boolean(task || tag || disagree || words.length));
    document.getElementById("count").textContent = `${shown.length} of ${cards.length}`;
    document.getElementById("none").hidden = shown.length > 0;
    if (current && current.hidden) choose(null, false);
  };
  const step = (by) => {
    if (!shown.length) return;
    let at = shown.indexOf(current);
    if (at < 0) at = by > 0 ? -1 : shown.length;
    choose(shown[Math.min(shown.length - 1, Math.max(0, at + by))], true);
  };

  for (const kind of ["input", "change"]) tools.addEventListener(kind, filter);
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.addEventListener("reset", () => setTimeout(filter));
  document.getElementById("next").addEventListener("click", () => step(1));
  document.getElementById("previous").addEventListener("click", () => step(-1));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const by = { j: 1, ArrowRight: 1, k: -1, ArrowLeft: -1 }[event.key];
    if (by) { event.preventDefault(); step(by); }
    if (event.key === "/") { event.preventDefault(); field("search").focus(); }
  });
  for (const card of cards) card.addEventListener("focusin", () => choose(card, false));
  for (const link of document.querySelectorAll("a[data-task]")) {
    link.addEventListener("click", () => {
      tools.reset();
      field("task").value = link.dataset.task;
      if (link.dataset.tag) field("outcome").value = link.dataset.tag;
      setTimeout(filter);
    });
  }
  tools.hidden = false;
  filter();
  const asked = cards.find((card) => `#${card.id}` === location.hash);
  if (asked) choose(asked, true);
})();
