// The text beside the image: hits one after the other on both, selection by pointer and by keyboard, what is done with a selection.
"use strict";

(() => {
  const { reading } = window;
  const { root } = reading;
  let current = null; // { print, number } of the hit stood upon

  /** Only the text's own box moves, never the page under the reader. */
  const bring = (print, mark) => {
    const box = print.getBoundingClientRect();
    const place = mark.getBoundingClientRect();
    print.scrollLeft += place.left - box.left - box.width / 2;
    print.scrollTop += place.top - box.top - box.height / 3;
  };

  const stops = () => {
    const found = [];
    for (const print of root.querySelectorAll("[data-print]")) {
      const numbers = [...new Set([...print.querySelectorAll("mark[data-hit]")].map((mark) => Number(mark.dataset.hit)))];
      numbers.forEach((number) => found.push({ print, number }));
    }
    return found;
  };
  const marksOf = ({ print, number }) => [...print.querySelectorAll(`mark[data-hit="${number}"]`)];
  const boxesOf = ({ print, number }) => [...document.querySelectorAll(`.drawing[data-of="${CSS.escape(print.dataset.print)}"] [data-hit="${number}"]`)];

  const stand = (stop, { speak = true, show = true } = {}) => {
    document.querySelectorAll(".now[data-hit]").forEach((one) => one.classList.remove("now"));
    current = stop;
    const marks = marksOf(stop);
    marks.forEach((mark) => mark.classList.add("now"));
    bring(stop.print, marks[0]);
    const boxes = boxesOf(stop);
    boxes.forEach((box) => box.classList.add("now"));
    const one = reading.plates.find((plate) => plate.id === stop.print.dataset.print);
    if (boxes.length && one && show) {
      const at = boxes.map((box) => ["x", "y", "width", "height"].map((name) => Number(box.getAttribute(name))));
      const left = Math.min(...at.map((b) => b[0]));
      const top = Math.min(...at.map((b) => b[1]));
      reading.show(one, [left, top, Math.max(...at.map((b) => b[0] + b[2])) - left, Math.max(...at.map((b) => b[1] + b[3])) - top]);
    }
    const all = stops();
    const place = all.findIndex((each) => each.print === stop.print && each.number === stop.number) + 1;
    if (speak) reading.say(`${reading.word("hit", place, all.length)}：${marks.map((mark) => mark.textContent).join("")}`);
  };

  let wanted = null; // coming from the next leaf backwards, the last hit is stood upon
  reading.hit = (step) => {
    const all = stops();
    const place = current ? all.findIndex((one) => one.print === current.print && one.number === current.number) : step > 0 ? -1 : all.length;
    const next = all[place + step];
    if (next) stand(next);
    else {
      const link = root.querySelector(`a[data-hit-go="${step > 0 ? "next" : "prev"}"][href]`);
      if (link) {
        wanted = step;
        reading.go(link.href.split("#")[0]);
      } else reading.say(reading.word("nohits"));
    }
  };
  root.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-hit-go]");
    if (!link || event.defaultPrevented) return;
    event.preventDefault();
    reading.hit(link.dataset.hitGo === "next" ? 1 : -1);
  });

  const arrive = () => {
    current = null;
    root.querySelectorAll("a[data-hit-go]").forEach((link) => { link.setAttribute("role", "button"); link.tabIndex = 0; });
    const all = stops();
    const speak = wanted !== null;
    if (all.length) stand(wanted === -1 ? all[all.length - 1] : all[0], { speak, show: speak });
    wanted = null;
    hide();
  };
  root.addEventListener("keydown", (event) => {
    if ((event.key === " " || event.key === "Enter") && event.target.matches("a[data-hit-go]:not([href])")) {
      event.preventDefault();
      event.target.click();
    }
  });
  // The drawings come when the image is there; then the mark on it is coloured too.
  reading.on("opened", () => { if (current) boxesOf(current).forEach((box) => box.classList.add("now")); });
  reading.on("turned", () => arrive());
  reading.on("read", () => arrive());

  // Places in the text: code points, as the archive counts them; the page counts in UTF-16.
  const length = (text) => [...text].length;
  const placeOf = (node, offset) => {
    const element = node.nodeType === Node.TEXT_NODE ? node.parentElement : node;
    const run = element.closest("[data-at]");
    if (run) return Number(run.dataset.at) + (node.nodeType === Node.TEXT_NODE ? length(node.data.slice(0, offset)) : offset ? length(run.textContent) : 0);
    return null;
  };
  const runsIn = (print) => [...print.querySelectorAll("[data-at]")];
  /** { page, start, end, text } of what is selected in one leaf's text; null when nothing is. */
  const selected = () => {
    const selection = getSelection();
    if (!selection.rangeCount || selection.isCollapsed) return null;
    const range = selection.getRangeAt(0);
    const from = range.startContainer.nodeType === Node.TEXT_NODE ? range.startContainer.parentElement : range.startContainer;
    const print = from.closest?.("[data-print]") || (range.commonAncestorContainer.closest?.("[data-print]") ?? null);
    if (!print) return null;
    const runs = runsIn(print).filter((run) => range.intersectsNode(run));
    if (!runs.length) return null;
    const [first, last] = [runs[0], runs[runs.length - 1]];
    const start = first.contains(range.startContainer) ? placeOf(range.startContainer, range.startOffset) : Number(first.dataset.at);
    const end = last.contains(range.endContainer) ? placeOf(range.endContainer, range.endOffset) : Number(last.dataset.at) + length(last.textContent);
    if (start === null || end === null || end <= start) return null;
    const text = runs.map((run) => {
      const at = Number(run.dataset.at);
      return [...run.textContent].slice(Math.max(0, start - at), Math.max(0, end - at)).join("");
    }).join("");
    return { page: print.dataset.print, start, end, text };
  };
  reading.selected = selected;
  reading.current = () => {
    if (!current) return null;
    const marks = marksOf(current);
    const last = marks[marks.length - 1];
    return {
      page: current.print.dataset.print,
      start: Number(marks[0].dataset.at),
      end: Number(last.dataset.at) + length(last.textContent),
      text: marks.map((mark) => mark.textContent).join(""),
    };
  };

  const pointAt = (print, place, after) => {
    let found = null;
    for (const run of runsIn(print)) {
      const at = Number(run.dataset.at);
      const size = length(run.textContent);
      if (place < at) return found || [run.firstChild, 0];
      if (place < at + size || (after && place === at + size)) return [run.firstChild, [...run.textContent].slice(0, place - at).join("").length];
      found = [run.firstChild, run.firstChild.length];
    }
    return found;
  };

  // Selecting by keyboard: Shift and an arrow, along the line and from line to line as the text is set.
  root.addEventListener("keydown", (event) => {
    const print = event.target.closest?.("[data-print]");
    if (!print || !event.shiftKey || !event.key.startsWith("Arrow")) return;
    const vertical = print.classList.contains("vertical");
    const along = vertical ? { ArrowDown: 1, ArrowUp: -1 } : { ArrowRight: 1, ArrowLeft: -1 };
    const across = vertical ? { ArrowLeft: 1, ArrowRight: -1 } : { ArrowDown: 1, ArrowUp: -1 };
    const selection = getSelection();
    if (!print.contains(selection.anchorNode)) {
      const mark = print.querySelector("mark.now") || print.querySelector("[data-at]");
      if (!mark) return;
      selection.setBaseAndExtent(mark.firstChild, 0, mark.firstChild, 0);
    }
    event.preventDefault();
    if (across[event.key]) {
      const here = (selection.focusNode.parentElement || print).closest(".line");
      const line = across[event.key] > 0 ? here?.nextElementSibling : here?.previousElementSibling;
      const first = here?.querySelector("[data-at]");
      const goal = line?.querySelector("[data-at]");
      if (first && goal) {
        const depth = placeOf(selection.focusNode, selection.focusOffset) - Number(first.dataset.at);
        const runs = [...line.querySelectorAll("[data-at]")];
        const last = runs[runs.length - 1];
        const end = Number(last.dataset.at) + length(last.textContent);
        selection.extend(...pointAt(print, Math.min(Number(goal.dataset.at) + depth, end), true));
      }
    } else if (along[event.key]) {
      const forward = along[event.key] > 0;
      const before = placeOf(selection.focusNode, selection.focusOffset);
      const runs = runsIn(print);
      const ends = runs.map((run) => [Number(run.dataset.at), Number(run.dataset.at) + length(run.textContent)]);
      let place = before + (forward ? 1 : -1);
      const inside = ends.some(([a, b]) => place >= a && place <= b);
      if (!inside) place = forward ? (ends.find(([a]) => a > before)?.[0] ?? before - 1) + 1 : (ends.findLast(([, b]) => b < before)?.[1] ?? before + 1) - 1;
      const to = pointAt(print, Math.max(0, place), true);
      if (to) selection.extend(...to);
    }
    const focus = selection.focusNode?.parentElement;
    if (focus) bring(print, focus);
    const found = selected();
    if (found) reading.say(`${reading.word("selected", found.end - found.start)}：${found.text.slice(-12)}`);
  });

  // What can be done with a selection stands near it, and out of the way on a phone.
  const bar = document.createElement("div");
  bar.className = "selection-bar";
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", reading.word("cite"));
  bar.hidden = true;
  for (const [what, name] of [["cite", "cite"], ["link", "link"], ["report", "report"]]) {
    if (what === "report" && !document.querySelector("[data-quote-report]")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.with = what;
    button.textContent = reading.word(name);
    bar.append(button);
  }
  root.append(bar);
  const hide = () => { bar.hidden = true; };
  let settled = 0;
  document.addEventListener("selectionchange", () => {
    clearTimeout(settled);
    settled = setTimeout(() => {
      const found = selected();
      if (!found) { if (!bar.contains(document.activeElement)) hide(); return; }
      const place = getSelection().getRangeAt(0).getBoundingClientRect();
      bar.hidden = false;
      const high = bar.offsetHeight + 10;
      const narrow = innerWidth <= 640;
      if (!narrow) {
        bar.style.left = `${Math.max(8, Math.min(innerWidth - bar.offsetWidth - 8, place.left + place.width / 2 - bar.offsetWidth / 2))}px`;
        bar.style.top = `${Math.max(8, place.top > high ? place.top - high : Math.min(place.bottom + 10, innerHeight - high))}px`;
      }
    }, 160);
  });
  bar.addEventListener("pointerdown", (event) => event.preventDefault()); // the selection stays
  bar.addEventListener("click", (event) => {
    const button = event.target.closest("[data-with]");
    const found = selected();
    if (!button || !found) return;
    hide();
    reading.cite(found, button.dataset.with);
  });
  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  arrive();
})();
