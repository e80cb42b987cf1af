// Leaves one under the other, as long scrolls are read on phones: the browser scrolls, pictures come as they are neared.
"use strict";

(() => {
  const { reading } = window;
  const { root } = reading;
  let strip = null;
  let watch = null;
  let settled = 0;
  let leading = 0; // until then the strip moves by itself

  const stop = () => {
    watch?.disconnect();
    strip = watch = null;
    reading.scrollTo = reading.scrollBy = undefined;
  };

  const build = async () => {
    stop();
    if (root.dataset.view !== "scroll") return;
    const { pages } = await reading.listed();
    const stage = root.querySelector("[data-stage]");
    if (!stage || root.dataset.view !== "scroll") return;
    strip = document.createElement("div");
    strip.className = "strip";
    strip.tabIndex = 0;
    strip.setAttribute("role", "group");
    strip.setAttribute("aria-label", reading.word("image"));
    for (const row of pages) {
      const figure = document.createElement("figure");
      figure.dataset.leaf = row[0];
      if (row[4]) {
        const picture = document.createElement("img");
        Object.assign(picture, { loading: "lazy", decoding: "async", alt: row[1], width: row[5] || 700, height: row[6] || 1000 });
        picture.src = `${root.dataset.thumbs}${row[4]}/${strip.clientWidth > 900 || devicePixelRatio > 1 ? 1600 : 800}`;
        figure.append(picture);
      } else {
        const blank = document.createElement("div");
        blank.className = "blank";
        blank.textContent = reading.word(row[3] ? "missing" : "noimage");
        figure.append(blank);
      }
      const name = document.createElement("figcaption");
      name.textContent = row[1] + (row[2] ? "" : `（${reading.word("unverified")}）`);
      figure.append(name);
      strip.append(figure);
    }
    reading.plate.remove();
    reading.tools.remove();
    stage.prepend(strip);
    const of = (id) => strip.querySelector(`[data-leaf="${CSS.escape(id)}"]`);
    const to = (id) => {
      const figure = of(id);
      if (!figure) return false;
      leading = performance.now() + 500;
      strip.scrollTop = figure.offsetTop;
      arrived(id);
      return true;
    };
    reading.scrollTo = to;
    reading.scrollBy = (step) => {
      const here = pages.findIndex((row) => row[0] === root.dataset.page);
      return pages[here + step] ? to(pages[here + step][0]) : true;
    };
    const first = of(root.dataset.page);
    if (first) strip.scrollTop = first.offsetTop;
    leading = performance.now() + 500;
    draw();
    watch = new IntersectionObserver((entries) => {
      const seen = entries.filter((entry) => entry.isIntersecting).map((entry) => entry.target.dataset.leaf);
      if (seen.length && performance.now() > leading) arrived(seen[seen.length - 1]);
    }, { root: strip, rootMargin: "-45% 0px -45% 0px" });
    strip.querySelectorAll("figure").forEach((figure) => watch.observe(figure));
  };

  // The hits of the leaf in the middle lie over its picture.
  const draw = () => {
    const held = root.querySelector("[data-stage] .plates");
    const figure = strip?.querySelector(`[data-leaf="${CSS.escape(root.dataset.page)}"]`);
    if (!held || !figure || figure.querySelector(".drawing")) return;
    const from = held.tagName === "NOSCRIPT" ? new DOMParser().parseFromString(held.textContent, "text/html") : held;
    const drawing = from.querySelector(`[data-of="${CSS.escape(root.dataset.page)}"] svg.drawing`);
    if (!drawing) return;
    const own = document.importNode(drawing, true);
    own.dataset.of = root.dataset.page;
    figure.append(own);
  };

  const arrived = (id) => {
    if (id === root.dataset.page) return;
    root.dataset.page = id;
    clearTimeout(settled);
    settled = setTimeout(async () => {
      const url = reading.leafUrl(id);
      history.replaceState({ reading: true }, "", url);
      try {
        const answer = await fetch(url, { credentials: "same-origin" });
        if (!answer.ok || root.dataset.page !== id) return;
        reading.take(reading.parsed(await answer.text()));
        draw();
      } catch { /* the picture is there; its text comes with the next leaf */ }
    }, 250);
  };

  reading.on("turned", () => build().catch(() => {}));
  if (root.dataset.view === "scroll") build().catch(() => {});
})();
