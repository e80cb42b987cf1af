// One leaf: zoom with OpenSeadragon over the plain image, keys that turn the leaf the way the book turns, text direction without reloading.
// Without this file the page shows the image, the text and the links; nothing here is needed to read.
"use strict";

(() => {
  const plate = document.querySelector("[data-leaf]");
  const print = document.querySelector("[data-print]");
  const turn = document.querySelector(".turn");

  // The book's direction decides: in a book read from right to left the left arrow goes on.
  const rtl = turn && turn.dataset.direction === "rtl";
  const follow = (rel) => {
    const link = document.querySelector(`a[data-go="${rel}"]`);
    if (link) link.click();
  };
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const at = event.target;
    if (at.closest("input, textarea, select, [data-print], .zoom")) return;
    if (event.key === "ArrowLeft") follow(rtl ? "next" : "prev");
    else if (event.key === "ArrowRight") follow(rtl ? "prev" : "next");
    else if (event.key === "PageDown" && at === document.body) follow("next");
    else if (event.key === "PageUp" && at === document.body) follow("prev");
    else return;
    event.preventDefault();
  });

  if (print) {
    const toMark = () => {
      const mark = print.querySelector("mark");
      if (!mark) return;
      // Only the text's own box moves, never the page under the reader.
      const box = print.getBoundingClientRect();
      const place = mark.getBoundingClientRect();
      print.scrollLeft += place.left - box.left - box.width / 2;
      print.scrollTop += place.top - box.top - box.height / 3;
    };
    document.querySelectorAll("a[data-layout]").forEach((link) => {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        const layout = link.dataset.layout;
        print.classList.toggle("vertical", layout === "vertical");
        print.classList.toggle("horizontal", layout === "horizontal");
        document.querySelectorAll("a[data-layout]").forEach((other) => {
          if (other === link) other.setAttribute("aria-current", "true");
          else other.removeAttribute("aria-current");
        });
        const url = new URL(location.href);
        url.searchParams.set("text", layout);
        history.replaceState(null, "", url);
        document.querySelectorAll("a[data-go]").forEach((go) => {
          const next = new URL(go.href);
          next.searchParams.set("text", layout);
          go.href = next.href;
        });
        toMark();
      });
    });
    toMark();
  }

  if (!plate || !plate.dataset.info || !window.OpenSeadragon) return;
  const still = plate.querySelector(".still");
  const say = document.querySelector("[data-say]");
  const holder = document.createElement("div");
  holder.className = "zoom";
  plate.append(holder);
  plate.classList.add("alive");
  // As high as the image needs at this width, and never higher than the window.
  const fit = () => {
    const ratio = Number(still.getAttribute("height")) / Number(still.getAttribute("width"));
    const narrow = matchMedia("(max-width: 60rem)").matches;
    plate.style.height = narrow && ratio ? `${Math.min(plate.clientWidth * ratio, innerHeight * 0.8)}px` : "";
  };
  fit();
  addEventListener("resize", fit);
  // OpenSeadragon would add a style element of its own, which our security policy refuses; its one rule stands in our style sheet.
  const style = document.createElement("style");
  style.setAttribute("data-openseadragon-mobile-css", "true");
  document.head.append(style);
  const viewer = window.OpenSeadragon({
    element: holder,
    tileSources: plate.dataset.info,
    showNavigationControl: false,
    showNavigator: false,
    drawer: "canvas",
    gestureSettingsMouse: { scrollToZoom: true, clickToZoom: false, dblClickToZoom: true },
    visibilityRatio: 0.5,
    minZoomImageRatio: 0.8,
    maxZoomPixelRatio: 3,
    animationTime: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 0.6,
    crossOriginPolicy: false,
    loadTilesWithAjax: false,
  });
  viewer.addHandler("open", () => {
    if (!plate.dataset.region) return;
    const [x, y, w, h] = plate.dataset.region.split(",").map(Number);
    viewer.viewport.fitBounds(viewer.viewport.imageToViewportRectangle(x, y, w, h), true);
  });
  const canvas = holder.querySelector(".openseadragon-canvas");
  if (canvas) {
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", still.alt);
  }
  const tools = document.querySelector("[data-instruments]");
  tools.classList.remove("hidden");
  const spoken = () => {
    const per = Math.round((viewer.viewport.viewportToImageZoom(viewer.viewport.getZoom())) * 100);
    say.textContent = `${per}%`;
  };
  const acts = {
    in: () => viewer.viewport.zoomBy(1.4),
    out: () => viewer.viewport.zoomBy(1 / 1.4),
    home: () => { viewer.viewport.setRotation(0); viewer.viewport.goHome(); },
    turn: () => viewer.viewport.setRotation((viewer.viewport.getRotation() + 90) % 360),
    full: () => (document.fullscreenElement ? document.exitFullscreen() : plate.requestFullscreen()),
  };
  tools.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    acts[button.dataset.do]();
    viewer.viewport.applyConstraints();
    setTimeout(spoken, 700);
  });
  viewer.addHandler("open-failed", () => {
    // The plain image takes over again.
    plate.classList.remove("alive");
    holder.remove();
    tools.classList.add("hidden");
  });
})();
