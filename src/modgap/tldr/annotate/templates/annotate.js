"use strict";
// One caption. Marks are kept here and sent one change after the other; what was not taken is sent again until it is.
(() => {
  const page = document.getElementById("page");
  const given = JSON.parse(page.dataset.page);
  const byId = (id) => document.getElementById(id);
  const caption = byId("caption"), list = byId("marks"), picture = byId("picture");
  const words = [...caption.querySelectorAll(".word")];
  const gaps = [...caption.querySelectorAll(".gap")];  // gap i is before word i
  const typeButtons = [...byId("types").children];

  let marks = given.marks, past = given.past, future = given.future;
  let anchor = 0, cursor = 0;
  let lastType = given.types[0];
  let done = given.done;

  // ---- saving: a queue, sent in order; the number of the present revision is filled in when a change leaves
  const saved = byId("saved");
  let queue = [], sending = false, base = given.base, failures = 0, leave = null, signedOut = false;
  const showSaved = () => {
    saved.className = signedOut || failures > 1 ? "saved failed" : queue.length ? "saved busy" : "saved";
    const text = signedOut ? "Signed out: sign in again in another tab"
      : failures > 1 ? "Not saved yet: the server does not answer. Keep this page open" : queue.length ? "Saving" : "Saved";
    if (saved.textContent !== text) saved.textContent = text;
  };
  const send = async (change) => fetch(`/caption/${given.number}/change`, {
    method: "POST", credentials: "same-origin", keepalive: true,
    headers: { "Content-Type": "application/json", "X-Form-Token": given.form_token },
    body: JSON.stringify({ ...change, base, active_ms: Math.round(active) }),
  });
  const pump = async () => {
    if (sending) return;
    sending = true;
    while (queue.length) {
      showSaved();
      const change = queue[0];
      let answer = null, taken = null;
      try {
        answer = await send(change);
        if (answer.ok) taken = await answer.json();
      } catch { /* no answer: the server is down, or the network */ }
      if (taken) {
        failures = 0;
        signedOut = false;
        base = taken.base;
        queue.shift();
      } else if (answer && (answer.status === 409 || answer.status === 422)) {
        // Another tab was faster. Its state is the true one.
        queue = [];
        leave = null;
        saved.textContent = "Changed in another window: loading it";
        location.reload();
        return;
      } else {
        signedOut = Boolean(answer && answer.status === 403);
        failures += 1;
        showSaved();
        await new Promise((again) => setTimeout(again, Math.min(3000, 250 * failures)));
      }
    }
    sending = false;
    showSaved();
    if (leave) location.assign(leave);
  };
  const enqueue = (change) => {
    const waiting = queue.length > 1 || (queue.length === 1 && !sending) ? queue[queue.length - 1] : null;
    // Letters typed faster than they are saved go out as one change.
    if (waiting && change.amend && waiting.key === change.key) waiting.marks = change.marks;
    else queue.push(change);
    pump();
  };
  window.addEventListener("beforeunload", (event) => { if (queue.some((c) => c.act !== "time")) event.preventDefault(); });

  // ---- active time
  const clock = byId("clock");
  let active = given.active_ms, sent = active, lastSign = performance.now(), lastTick = lastSign, looking = picture.complete;
  for (const kind of ["load", "error"]) picture.addEventListener(kind, () => { looking = true; });
  const isActive = (now) => looking && !document.hidden && now - lastSign < given.idle_ms;
  const tick = () => {
    const now = performance.now();
    if (isActive(lastTick)) active += Math.min(now, Math.max(lastTick, lastSign + given.idle_ms)) - lastTick;
    lastTick = now;
    const seconds = Math.floor(active / 1000);
    clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    clock.classList.toggle("paused", !isActive(now));
    if (active - sent > 5000 && !queue.length) { sent = active; enqueue({ act: "time" }); }
  };
  const sign = () => { tick(); lastSign = performance.now(); clock.classList.toggle("paused", !isActive(lastSign)); };
  for (const kind of ["keydown", "pointerdown", "pointermove", "wheel", "scroll", "touchstart"]) {
    window.addEventListener(kind, sign, { passive: true, capture: true });
  }
  document.addEventListener("visibilitychange", () => {
    // While hidden nothing is counted: what passed before is counted now, and the clock starts anew on return.
    const now = performance.now();
    if (document.hidden && looking) {
      active += Math.max(0, Math.min(now, lastSign + given.idle_ms) - lastTick);
      sent = active;
      enqueue({ act: "time" });
    } else lastSign = now;
    lastTick = now;
  });
  setInterval(tick, 250);

  // ---- what is shown
  const say = (text) => { byId("say").textContent = text; };
  const textOf = (first, last) => {
    let text = words[first].textContent;
    for (let i = first + 1; i <= last; i += 1) text += gaps[i].textContent + words[i].textContent;
    return text.replace(/\s+/g, " ");
  };
  const low = () => Math.min(anchor, cursor), high = () => Math.max(anchor, cursor);
  const markAt = (index) => marks.find((m) => m.first <= index && index <= m.last);
  const overlapping = (first, last) => marks.filter((m) => m.first <= last && m.last >= first);
  const isFlagged = (index) => given.flags.some((f) => f.first <= index && index <= f.last);

  const showCaption = () => {
    const inside = new Map();
    for (const mark of marks) for (let i = mark.first; i <= mark.last; i += 1) inside.set(i, mark);
    words.forEach((word, i) => {
      const mark = inside.get(i), chosen = i >= low() && i <= high();
      word.classList.toggle("marked", Boolean(mark));
      word.classList.toggle("mark-ends", Boolean(mark && mark.last === i));
      word.classList.toggle("chosen", chosen && low() !== high());
      word.classList.toggle("cursor", i === cursor);
      gaps[i].classList.toggle("marked", Boolean(mark && mark.first < i));
      gaps[i].classList.toggle("chosen", chosen && i > low());
      if (mark && mark.last === i) word.dataset.tag = mark.type; else delete word.dataset.tag;
      word.setAttribute("aria-selected", String(chosen));
      const about = [mark ? `marked as wrong, ${mark.type}` : "", isFlagged(i) ? "flagged" : ""].filter(Boolean).join(", ");
      if (about) word.setAttribute("aria-label", `${word.textContent}, ${about}`); else word.removeAttribute("aria-label");
    });
    caption.setAttribute("aria-activedescendant", words[cursor].id);
    const here = markAt(cursor);
    for (const button of typeButtons) button.setAttribute("aria-pressed", String(Boolean(here && here.type === button.dataset.type)));
  };
  const showMarks = () => {
    const focused = list.contains(document.activeElement) ? document.activeElement.id : null;
    list.replaceChildren(...marks.map((mark, index) => {
      const item = document.createElement("li"), what = document.createElement("button"), quote = document.createElement("q");
      const type = document.createElement("span"), label = document.createElement("label"), input = document.createElement("input");
      const remove = document.createElement("button");
      what.type = remove.type = "button";
      what.className = "what";
      quote.textContent = textOf(mark.first, mark.last);
      type.textContent = mark.type;
      what.append(quote, type);
      what.addEventListener("click", () => { choose(mark.first, mark.last); caption.focus(); });
      label.append("should be", input);
      input.id = `truth-${mark.first}`;
      input.value = mark.truth;
      input.maxLength = 200;
      input.autocomplete = "off";
      input.addEventListener("input", () => correct(mark.first, input.value));
      input.addEventListener("blur", () => { typing = null; });
      remove.className = "remove";
      remove.textContent = "Remove";
      remove.setAttribute("aria-label", `Remove the mark on ${quote.textContent}`);
      remove.addEventListener("click", () => { unmark(marks[index]); caption.focus(); });
      item.append(what, label, remove);
      return item;
    }));
    if (focused && byId(focused)) byId(focused).focus();
    showCounts();
  };
  const showCounts = () => {
    const n = marks.length, errors = `${n} error${n === 1 ? "" : "s"}`;
    byId("marks-title").textContent = n ? `${errors} marked` : "Nothing is marked";
    byId("done-text").textContent = n ? `Done: ${errors}` : "Done: nothing is wrong";
    byId("undo").disabled = !past.length;
    byId("redo").disabled = !future.length;
    byId("is-done").hidden = !done;
  };
  const show = () => { showCaption(); showMarks(); };

  // ---- choosing words
  const choose = (from, to) => {
    anchor = from;
    cursor = to;
    showCaption();
    words[cursor].scrollIntoView({ block: "nearest" });
  };
  const go = (to, extend) => {
    const target = Math.max(0, Math.min(words.length - 1, to));
    // Extending from inside a mark begins with all of it.
    const mark = extend && anchor === cursor ? markAt(cursor) : null;
    if (mark) choose(target >= cursor ? mark.first : mark.last, target >= cursor ? Math.max(mark.last + 1, target) : Math.min(mark.first - 1, target));
    else choose(extend ? anchor : target, target);
    cursor = Math.max(0, Math.min(words.length - 1, cursor));
    showCaption();
    if (low() !== high()) say(textOf(low(), high()));
  };
  const line = (down) => {
    const here = words[cursor].getBoundingClientRect(), x = here.left + here.width / 2, height = here.height;
    let best = cursor, cost = Infinity;
    words.forEach((word, i) => {
      const box = word.getBoundingClientRect(), dy = (box.top - here.top) * (down ? 1 : -1);
      if (dy < height / 2) return;
      const value = Math.round(dy / height) * 1e5 + Math.abs(box.left + box.width / 2 - x);
      if (value < cost) { cost = value; best = i; }
    });
    return best;
  };
  const nextFlag = (by) => {
    if (!given.flags.length) { say("No flags are shown"); return; }
    const after = given.flags.filter((f) => (by > 0 ? f.first > low() : f.first < low()));
    const flag = by > 0 ? after[0] || given.flags[0] : after[after.length - 1] || given.flags[given.flags.length - 1];
    choose(flag.first, flag.last);
    say(`Flag: ${textOf(flag.first, flag.last)}${flag.type ? `, ${flag.type}` : ""}`);
  };

  // ---- marking
  let typing = null;  // key of the correction that is being written
  const newKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("");
  const change = (next, amend = null) => {
    if (!(amend && amend === typing)) past.push(marks);
    future = [];
    marks = next.sort((a, b) => a.first - b.first);
    typing = amend;
    enqueue({ act: "edit", key: amend || newKey(), amend: Boolean(amend), marks });
  };
  const mark = (type) => {
    lastType = type;
    const here = markAt(cursor);
    // A digit on a single word inside a mark changes the type of the whole mark.
    const [first, last] = here && anchor === cursor ? [here.first, here.last] : [low(), high()];
    const old = overlapping(first, last);
    if (old.length === 1 && old[0].first === first && old[0].last === last && old[0].type === type) return;
    const truth = old.length === 1 ? old[0].truth : "";
    change([...marks.filter((m) => !old.includes(m)), { first, last, type, truth }]);
    cursor = anchor = last;
    show();
    say(`Marked: ${textOf(first, last)}, ${type}`);
  };
  const unmark = (...gone) => {
    if (!gone.length) { say("Nothing is marked here"); return; }
    change(marks.filter((m) => !gone.includes(m)));
    show();
    say(`Removed: ${gone.map((m) => textOf(m.first, m.last)).join(", ")}`);
  };
  const toggle = () => {
    const old = overlapping(low(), high());
    if (old.length) { unmark(...old); return; }
    const flag = given.flags.find((f) => f.first <= high() && f.last >= low() && given.types.includes(f.type));
    mark(flag ? flag.type : lastType);
  };
  const resize = (by) => {
    const here = markAt(cursor);
    if (!here) { say("Nothing is marked here"); return; }
    const last = here.last + by;
    if (last < here.first || last >= words.length || (by > 0 && markAt(last))) return;
    change([...marks.filter((m) => m !== here), { ...here, last }]);
    cursor = anchor = last;
    show();
    say(`Marked: ${textOf(here.first, last)}, ${here.type}`);
  };
  const correct = (first, truth) => {
    change(marks.map((m) => (m.first === first ? { ...m, truth } : m)), typing || newKey());
    showCounts();
  };
  const back = () => {
    if (!past.length) { say("Nothing to undo"); return; }
    typing = null;
    future.push(marks);
    marks = past.pop();
    enqueue({ act: "undo", key: newKey() });
    show();
    say(`Undone. ${byId("marks-title").textContent}`);
  };
  const forth = () => {
    if (!future.length) { say("Nothing to redo"); return; }
    typing = null;
    past.push(marks);
    marks = future.pop();
    enqueue({ act: "redo", key: newKey() });
    show();
    say(`Redone. ${byId("marks-title").textContent}`);
  };
  const finish = () => {
    tick();
    if (leave) return;
    done = true;
    leave = given.next ? `/caption/${given.next}` : "/";
    enqueue({ act: "done", key: newKey() });
  };
  const write = () => {
    const here = markAt(cursor);
    if (!here) { say("Mark the words first"); return; }
    byId(`truth-${here.first}`).focus();
    byId(`truth-${here.first}`).select();
  };
  const leaveFor = (address) => {
    leave = address;
    if (!queue.length) location.assign(address);
  };
  for (const link of document.querySelectorAll(".bar a")) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || !queue.length) return;
      event.preventDefault();  // what is on its way is saved first
      leaveFor(link.href);
    });
  }
  const previous = () => { if (byId("previous")) leaveFor(byId("previous").href); };

  // ---- keys
  document.addEventListener("keydown", (event) => {
    const target = event.target, command = event.ctrlKey || event.metaKey;
    if (event.altKey || event.isComposing) return;
    if (target.matches("input")) {
      if (event.key === "Enter" || event.key === "Escape") { event.preventDefault(); caption.focus(); }
      return;
    }
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (command) {
      const action = { z: event.shiftKey ? forth : back, y: forth, Enter: finish }[key];
      if (action) { event.preventDefault(); action(); }
      return;
    }
    if (target.closest("button, a, summary") && (key === " " || key === "Enter")) return;
    const by = getComputedStyle(caption).direction === "rtl" ? -1 : 1;
    const moves = { ArrowLeft: () => cursor - by, ArrowRight: () => cursor + by, ArrowUp: () => line(false), ArrowDown: () => line(true), Home: () => 0, End: () => words.length - 1 };
    const actions = {
      " ": toggle, Enter: write, e: write, x: () => unmark(...overlapping(low(), high())), Delete: () => unmark(...overlapping(low(), high())),
      Backspace: () => unmark(...overlapping(low(), high())), u: back, r: forth, n: finish, p: previous, f: () => nextFlag(event.shiftKey ? -1 : 1),
      "+": () => resize(1), "=": () => resize(1), "-": () => resize(-1), "−": () => resize(-1), Escape: () => choose(cursor, cursor),
      "?": () => { byId("keys").open = !byId("keys").open; },
    };
    const digit = /^[1-9]$/.test(key) ? given.types[Number(key) - 1] : null;
    if (event.repeat && (key === "n" || key === " ")) return;
    if (moves[key]) { event.preventDefault(); caption.focus({ preventScroll: true }); go(moves[key](), event.shiftKey); }
    else if (digit) { event.preventDefault(); mark(digit); }
    else if (actions[key]) { event.preventDefault(); actions[key](); }
  });

  // ---- mouse and touch: press a word, drag to choose several
  let dragging = false;
  const wordAt = (event) => {
    const hit = document.elementFromPoint(event.clientX, event.clientY);
    const word = hit && hit.closest(".word");
    return word ? words.indexOf(word) : -1;
  };
  caption.addEventListener("pointerdown", (event) => {
    const index = wordAt(event);
    if (index < 0 || event.button !== 0) return;
    dragging = true;
    choose(event.shiftKey ? anchor : index, index);
  });
  window.addEventListener("pointermove", (event) => {
    const index = dragging ? wordAt(event) : -1;
    if (index >= 0 && index !== cursor) choose(anchor, index);
  });
  for (const kind of ["pointerup", "pointercancel"]) window.addEventListener(kind, () => { dragging = false; });
  for (const button of typeButtons) button.addEventListener("click", () => { mark(button.dataset.type); caption.focus({ preventScroll: true }); });
  byId("done").addEventListener("click", finish);
  byId("undo").addEventListener("click", () => { back(); caption.focus({ preventScroll: true }); });
  byId("redo").addEventListener("click", () => { forth(); caption.focus({ preventScroll: true }); });

  const sized = () => { if (picture.naturalWidth && picture.naturalWidth < 320) picture.classList.add("small"); };
  const broken = () => { picture.hidden = true; byId("no-picture").hidden = false; };
  picture.addEventListener("load", sized);
  picture.addEventListener("error", broken);
  if (picture.complete) { if (picture.naturalWidth) sized(); else broken(); }
  window.addEventListener("load", () => { if (given.next) new Image().src = `/caption/${given.next}/image`; });

  if (matchMedia("(max-width: 820px)").matches) byId("keys").open = false;
  caption.classList.add("active");
  show();
  caption.focus({ preventScroll: true });
  tick();
})();
