// Turning leaves without leaving the page: the address, the back button and the focus stay where a reader expects them.
"use strict";

(() => {
  const { reading } = window;
  const { root } = reading;
  const rtl = root.dataset.direction === "rtl";
  const PARTS = ["head", "switches", "hits", "body", "below"];
  const kept = new Map(); // leaves fetched ahead: address → promise of a document
  let asked = 0;

  /** A page as the browser itself would have read it: what is for browsers without scripts stays words, and none of its pictures is fetched. */
  const parsed = (text) => {
    const page = new DOMParser().parseFromString(text, "text/html");
    page.querySelectorAll("noscript").forEach((held) => { held.textContent = held.innerHTML; });
    return page;
  };
  reading.parsed = parsed;
  /** Where one is, above the reader, goes along. */
  const trail = (page) => {
    const here = document.querySelector(".trail");
    const there = page.querySelector(".trail");
    if (here && there) here.replaceWith(document.importNode(there, true));
  };

  const fetched = (url) => {
    const key = url.split("#")[0];
    if (!kept.has(key)) {
      if (kept.size > 8) kept.delete(kept.keys().next().value);
      const given = fetch(key, { headers: { Accept: "text/html" }, credentials: "same-origin" }).then(async (answer) => {
        if (!answer.ok) throw new Error(String(answer.status));
        return parsed(await answer.text());
      });
      given.catch(() => kept.delete(key));
      kept.set(key, given);
    }
    return kept.get(key);
  };

  /** What names the focused thing on the next leaf too. */
  const named = () => {
    const at = document.activeElement;
    if (!at || !root.contains(at)) return null;
    for (const name of ["go", "hitGo", "choose"]) {
      const attribute = name.replace(/[A-Z]/g, (sign) => `-${sign.toLowerCase()}`);
      if (at.dataset[name]) return `[data-${attribute}="${at.dataset[name]}"]`;
    }
    if (at.closest("[data-print]")) return "[data-print]";
    return at.closest("[data-part]") ? "[data-progress]" : null;
  };

  const swap = (page) => {
    const next = page.querySelector("[data-reading]");
    if (!next) return false;
    const focus = named();
    // The viewer lives on: it is taken out of what is thrown away.
    reading.plate.remove();
    reading.tools.remove();
    for (const part of PARTS) {
      const here = root.querySelector(`[data-part="${part}"]`);
      const there = next.querySelector(`[data-part="${part}"]`);
      if (here && there) here.replaceWith(document.importNode(there, true));
    }
    for (const name of ["page", "view", "layout", "position", "of"]) root.dataset[name] = next.dataset[name];
    document.title = page.title;
    trail(page);
    const canonical = document.querySelector("link[rel=canonical]");
    const given = page.querySelector("link[rel=canonical]");
    if (canonical && given) canonical.href = given.href;
    const bar = root.querySelector("[data-progress]");
    const other = next.querySelector("[data-progress]");
    bar.value = other.getAttribute("value");
    bar.setAttribute("aria-valuetext", other.getAttribute("aria-valuetext"));
    reading.open();
    if (focus) {
      const again = root.querySelector(focus);
      (again && (again.href || again.tabIndex >= 0) ? again : bar).focus({ preventScroll: true });
    }
    reading.say(other.getAttribute("aria-valuetext"));
    reading.tell("turned");
    return true;
  };

  /** In the scroll the pictures stay; all that is said of the leaf changes. */
  reading.take = (page) => {
    const next = page.querySelector("[data-reading]");
    const focus = named();
    for (const selector of ['[data-part="head"]', '[data-part="switches"]', '[data-part="hits"]', '[data-part="below"]', "section.words", ".text-from", "[data-stage] .plates"]) {
      const here = root.querySelector(selector);
      const there = next?.querySelector(selector);
      if (here && there) here.replaceWith(document.importNode(there, true));
    }
    document.title = page.title;
    trail(page);
    root.dataset.position = next.dataset.position;
    const bar = root.querySelector("[data-progress]");
    const other = next.querySelector("[data-progress]");
    bar.value = other.getAttribute("value");
    bar.setAttribute("aria-valuetext", other.getAttribute("aria-valuetext"));
    if (focus) root.querySelector(focus)?.focus({ preventScroll: true });
    reading.say(bar.getAttribute("aria-valuetext"));
    reading.tell("read");
  };

  const go = async (url, { push = true } = {}) => {
    const mine = (asked += 1);
    root.setAttribute("aria-busy", "true");
    try {
      const page = await fetched(url);
      if (mine !== asked) return;
      if (push) history.pushState({ reading: true }, "", url);
      // The address knows nothing of the leaf before: its zoom and frame went with it.
      if (!swap(page)) location.assign(url);
      else ahead();
    } catch {
      if (mine === asked) location.assign(url);
    } finally {
      if (mine === asked) root.removeAttribute("aria-busy");
    }
  };
  reading.go = go;
  history.replaceState({ reading: true }, "");
  addEventListener("popstate", () => {
    if (new URL(location.href).pathname.includes("/p/")) go(location.href, { push: false });
  });

  const link = (rel) => root.querySelector(`a[data-go="${rel}"]`);
  const ahead = () => {
    const next = link("next");
    // What is read on will be wanted; what costs a reader's data will not be fetched unasked.
    if (next && !navigator.connection?.saveData) setTimeout(() => fetched(next.href).catch(() => {}), 400);
  };
  const follow = (rel) => {
    if (reading.scrollBy?.(rel === "next" ? 1 : -1)) return;
    const found = link(rel);
    if (found) go(found.href);
  };
  reading.follow = follow;

  root.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const found = event.target.closest("a[data-go], a[data-choose]");
    if (found) {
      event.preventDefault();
      if (found.dataset.go) follow(found.dataset.go);
      else go(found.href);
    }
    const opener = event.target.closest("[data-open]");
    if (opener) {
      event.preventDefault();
      openDialog(opener.dataset.open);
    }
  });

  // Where in the book: the bar runs in the book's direction.
  const bar = root.querySelector("[data-progress]");
  const says = root.querySelector("[data-progress-says]");
  let pages = null;
  const listed = () => {
    pages ||= fetch(`${root.dataset.item}/leaves.json`, { credentials: "same-origin" }).then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error())));
    pages.catch(() => { pages = null; });
    return pages;
  };
  reading.listed = listed;
  const nameOf = (row) => row[1] + (row[2] ? "" : `（${reading.word("unverified")}）`);
  reading.leafUrl = (id) => {
    const url = reading.address({ zoom: null, xywh: null, version: null });
    url.pathname = `${root.dataset.item}/p/${encodeURIComponent(id)}`;
    url.hash = "";
    return url.href;
  };
  bar.addEventListener("input", async () => {
    says.textContent = bar.value;
    const row = (await listed()).pages[bar.value - 1];
    if (row) {
      says.textContent = `${nameOf(row)} · ${bar.value}/${root.dataset.of}`;
      bar.setAttribute("aria-valuetext", says.textContent);
    }
  });
  bar.addEventListener("change", async () => {
    const row = (await listed()).pages[bar.value - 1];
    says.textContent = "";
    if (row && !reading.scrollTo?.(row[0])) go(reading.leafUrl(row[0]));
  });

  // Thumbnails: in a drawer, in reading order, fetched when it is opened.
  const drawn = document.querySelector("[data-thumbs-list]");
  const fill = async () => {
    if (!drawn.childElementCount) {
      const { pages: rows } = await listed();
      const made = document.createDocumentFragment();
      let section = "";
      rows.forEach((row) => {
        if (row[7] && row[7] !== section) {
          const head = document.createElement("li");
          head.className = "section-head";
          head.lang = "zh";
          head.textContent = section = row[7];
          made.append(head);
        }
        const line = document.createElement("li");
        const to = document.createElement("a");
        to.href = reading.leafUrl(row[0]);
        to.dataset.leaf = row[0];
        const picture = document.createElement(row[4] ? "img" : "span");
        if (row[4]) Object.assign(picture, { loading: "lazy", decoding: "async", alt: "", src: `${root.dataset.thumbs}${row[4]}/200`, width: 100, height: row[5] ? Math.round((100 * row[6]) / row[5]) : 140 });
        else Object.assign(picture, { className: "blank", textContent: reading.word(row[3] ? "missing" : "noimage") });
        const name = document.createElement("span");
        name.textContent = nameOf(row);
        to.append(picture, name);
        line.append(to);
        made.append(line);
      });
      drawn.append(made);
    }
    drawn.querySelectorAll("[aria-current]").forEach((one) => one.removeAttribute("aria-current"));
    const here = drawn.querySelector(`[data-leaf="${CSS.escape(root.dataset.page)}"]`);
    if (here) {
      here.setAttribute("aria-current", "page");
      here.scrollIntoView({ block: "center" });
      here.focus({ preventScroll: true });
    }
  };
  drawn.addEventListener("click", (event) => {
    const to = event.target.closest("a[data-leaf]");
    if (!to || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    drawn.closest("dialog").close();
    if (!reading.scrollTo?.(to.dataset.leaf)) go(reading.leafUrl(to.dataset.leaf));
  });

  const dialog = (name) => document.querySelector(`[data-dialog="${name}"]`);
  const openDialog = (name) => {
    const found = dialog(name);
    if (document.fullscreenElement && !document.fullscreenElement.contains(found)) root.append(found);
    found.showModal();
    if (name === "thumbs") fill().catch(() => found.close());
  };
  reading.openDialog = openDialog;
  document.querySelectorAll("dialog").forEach((one) => one.addEventListener("click", (event) => {
    if (event.target === one) one.close(); // beside it
  }));

  // Keys. Single ones can be switched off (WCAG 2.1.4), and never act where one types.
  const tick = document.querySelector("[data-keys-on]");
  const STORE = "reading-keys";
  const may = () => {
    try { return localStorage.getItem(STORE) !== "off"; } catch { return true; }
  };
  tick.checked = may();
  tick.addEventListener("change", () => {
    try { localStorage.setItem(STORE, tick.checked ? "on" : "off"); } catch { /* kept for this page only */ }
  });
  const choose = (name) => root.querySelector(`a[data-choose="view=${name}"]`)?.click();
  const single = {
    "+": () => reading.acts.in(), "=": () => reading.acts.in(), "-": () => reading.acts.out(), 0: () => reading.acts.home(),
    r: () => reading.acts.turn(), i: () => reading.invert(), f: () => reading.acts.full(),
    1: () => choose("single"), 2: () => choose("spread"), 3: () => choose("scroll"),
    g: () => root.querySelector("#to-leaf").focus(), t: () => openDialog("thumbs"), "?": () => openDialog("keys"),
    n: () => reading.hit?.(1), p: () => reading.hit?.(-1), c: () => reading.cite?.(),
    v: () => root.querySelector("[data-print]")?.focus(), b: () => reading.selectRegion?.(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing || document.querySelector("dialog[open]")) return;
    const at = event.target;
    if (at.closest("input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable]")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const arrows = !event.shiftKey && !at.closest("input, [data-print], [data-choosing]");
    if (key === "ArrowLeft" && arrows) follow(rtl ? "next" : "prev");
    else if (key === "ArrowRight" && arrows) follow(rtl ? "prev" : "next");
    else if (key === "PageDown" && at === document.body && !reading.scrollTo) follow("next");
    else if (key === "PageUp" && at === document.body && !reading.scrollTo) follow("prev");
    else if (single[key] && tick.checked && (reading.plates.length || !"+=-0rifb".includes(key))) single[key]();
    else return;
    event.preventDefault();
  });
  // Two leaves side by side are too small on a narrow screen: there the one that was asked for is read alone.
  const narrow = matchMedia("(max-width: 40rem)");
  const alone = () => {
    if (!narrow.matches || root.dataset.view !== "spread") return;
    const url = reading.address({ view: null }).href;
    history.replaceState({ reading: true }, "", url);
    go(url, { push: false });
  };
  narrow.addEventListener("change", alone);
  alone();
  ahead();
})();
