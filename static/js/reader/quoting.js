// Quotations: of what is selected in the text, or of a region chosen on the image; copied with their citation and the link to the very place.
"use strict";

(() => {
  const { reading } = window;
  const { root } = reading;
  const dialog = document.querySelector('[data-dialog="quote"]');
  const field = (name) => dialog.querySelector(`[data-quote-${name}]`);
  let found = null; // what the archive answered
  let asked = null; // what was asked for

  const parameters = (given) => {
    const all = new URLSearchParams({ page: given.page });
    if (given.start !== undefined) { all.set("start", given.start); all.set("end", given.end); }
    if (given.xywh) all.set("xywh", given.xywh);
    const version = new URL(location.href).searchParams.get("version");
    if (version) all.set("version", version);
    return all;
  };

  const style = () => dialog.querySelector("[name=quote-style]:checked").value;
  const written = () => {
    if (!found) return "";
    const of = style();
    return of === "bibtex" || of === "ris" ? found[of] : found.citation[`gbt7714-${of}`];
  };
  const fill = () => { field("citation").value = written(); };
  dialog.addEventListener("change", fill);

  const link = (given) => {
    const url = new URL(`${root.dataset.item}/p/${encodeURIComponent(given.page)}`, location.href);
    if (given.xywh) url.searchParams.set("xywh", given.xywh);
    return url.href;
  };

  /** Ask for the quotation: of `given`, else of what is selected, of the hit stood upon, of the whole leaf. */
  reading.cite = async (given = reading.selected?.() || reading.current?.() || { page: root.dataset.page }, then = "cite") => {
    asked = given;
    found = null;
    const query = parameters(given);
    const report = new URLSearchParams(query);
    report.delete("page");
    if (given.text) report.set("quotation", given.text);
    const reportAt = `${root.dataset.item}/p/${encodeURIComponent(given.page)}/report?${report}`;
    if (then === "report") { location.assign(reportAt); return; }
    field("text").textContent = given.text || "";
    field("citation").value = reading.word("loading");
    field("link").textContent = link(given);
    field("page").href = `${root.dataset.item}/cite?${query}`;
    if (field("report")) field("report").href = reportAt;
    field("say").textContent = "";
    reading.openDialog("quote");
    dialog.querySelector('[data-copy="both"]').focus();
    try {
      query.set("format", "json");
      const answer = await fetch(`${root.dataset.item}/cite?${query}`, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      const body = await answer.json();
      if (asked !== given) return;
      found = body;
      field("text").textContent = body.quotation || given.text || "";
      field("link").textContent = body.link || link(given);
      fill();
      if (then === "link") copy(field("link").textContent);
    } catch {
      if (asked === given) field("citation").value = "";
      field("say").textContent = reading.word("nocite");
    }
  };

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      field("say").textContent = reading.word("copied");
    } catch {
      // Without a safe origin (http in the reading room) there is no clipboard interface; the old way still works.
      const held = document.createElement("textarea");
      held.value = text;
      dialog.append(held);
      held.select();
      const done = document.execCommand("copy");
      held.remove();
      dialog.querySelector('[data-copy="both"]').focus();
      field("say").textContent = reading.word(done ? "copied" : "notcopied");
    }
  };
  dialog.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const quotation = field("text").textContent;
    const reference = field("citation").value;
    copy(button.dataset.copy === "link" ? field("link").textContent : [quotation && `“${quotation}”`, reference].filter(Boolean).join("\n"));
  });
  // Where the archive gives citations, its links open here.
  root.addEventListener("click", (event) => {
    const to = event.target.closest("a[data-cite-page]");
    if (!to || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const chosen = reading.selected?.();
    reading.cite(chosen && chosen.page === to.dataset.citePage ? chosen : { page: to.dataset.citePage });
  });

  // A region of the image, drawn or moved by keys.
  const tools = reading.tools;
  const button = tools.querySelector('[data-do="region"]');
  let choosing = null;
  const leave = () => {
    if (!choosing) return;
    choosing.frame.remove();
    reading.viewer?.setMouseNavEnabled(true);
    button.setAttribute("aria-pressed", "false");
    choosing = null;
  };
  const done = () => {
    const { viewer } = reading;
    const box = choosing.box;
    const corner = (x, y) => viewer.viewport.pointFromPixel(new window.OpenSeadragon.Point(x, y), true);
    const around = [corner(box.x, box.y), corner(box.x + box.w, box.y), corner(box.x, box.y + box.h), corner(box.x + box.w, box.y + box.h)];
    const xs = around.map((p) => p.x);
    const ys = around.map((p) => p.y);
    const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const middle = (left + right) / 2;
    const one = reading.plates.find((plate) => plate.source && middle >= plate.x && middle <= plate.x + plate.w) || reading.plates.find((plate) => plate.source);
    const within = (n, high) => Math.min(high, Math.max(0, Math.round(n)));
    const x = within((left - one.x) * one.height, one.width - 1);
    const y = within(top * one.height, one.height - 1);
    const w = Math.max(1, within((right - one.x) * one.height, one.width) - x);
    const h = Math.max(1, within(bottom * one.height, one.height) - y);
    leave();
    button.focus();
    reading.remember({ xywh: [x, y, w, h].join(",") });
    reading.cite({ page: one.id, xywh: [x, y, w, h].join(","), text: "" });
  };
  const place = () => {
    const { frame, box } = choosing;
    Object.assign(frame.style, { left: `${box.x}px`, top: `${box.y}px`, width: `${box.w}px`, height: `${box.h}px` });
  };
  reading.selectRegion = () => {
    if (choosing || !reading.viewer || !reading.plates.some((one) => one.source)) { leave(); return; }
    const area = reading.plate;
    const frame = document.createElement("div");
    frame.className = "choosing";
    frame.tabIndex = 0;
    frame.dataset.choosing = "";
    frame.setAttribute("role", "application");
    frame.setAttribute("aria-label", reading.word("region"));
    const [w, h] = [area.clientWidth, area.clientHeight];
    choosing = { frame, box: { x: w * 0.35, y: h * 0.35, w: w * 0.3, h: h * 0.3 } };
    area.append(frame);
    place();
    reading.viewer.setMouseNavEnabled(false);
    button.setAttribute("aria-pressed", "true");
    frame.focus({ preventScroll: true });
    reading.say(reading.word("region"));
    frame.addEventListener("keydown", (event) => {
      const step = 12;
      const { box } = choosing;
      const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
      if (move && event.shiftKey) Object.assign(box, { w: Math.max(8, box.w + move[0]), h: Math.max(8, box.h + move[1]) });
      else if (move) Object.assign(box, { x: Math.min(w - 8, Math.max(0, box.x + move[0])), y: Math.min(h - 8, Math.max(0, box.y + move[1])) });
      else if (event.key === "Enter") { event.preventDefault(); event.stopPropagation(); done(); return; }
      else if (event.key === "Escape") { leave(); button.focus(); return; }
      else return;
      event.preventDefault();
      event.stopPropagation();
      place();
    });
  };
  reading.acts.region = () => reading.selectRegion();
  reading.plate.addEventListener("pointerdown", (event) => {
    if (!choosing) return;
    event.preventDefault();
    const edge = reading.plate.getBoundingClientRect();
    const from = [event.clientX - edge.left, event.clientY - edge.top];
    reading.plate.setPointerCapture(event.pointerId);
    const draw = (moved) => {
      if (!choosing) return;
      const to = [moved.clientX - edge.left, moved.clientY - edge.top];
      choosing.box = { x: Math.min(from[0], to[0]), y: Math.min(from[1], to[1]), w: Math.abs(to[0] - from[0]), h: Math.abs(to[1] - from[1]) };
      place();
    };
    reading.plate.addEventListener("pointermove", draw);
    reading.plate.addEventListener("pointerup", () => {
      reading.plate.removeEventListener("pointermove", draw);
      if (choosing && choosing.box.w > 6 && choosing.box.h > 6) done();
    }, { once: true });
  });
  reading.on("turned", leave);
})();
