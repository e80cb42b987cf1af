// Two sides: each image zooms with OpenSeadragon; linked, what one shows the other follows, keeping how they were laid to each other.
// Two recordings are played together or heard in turn. Without this file both images, texts, players and the list of differences are there.
"use strict";

(() => {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const views = [];

  const open = (side) => {
    const plate = side.querySelector("[data-leaf][data-info]");
    if (!plate || !window.OpenSeadragon) return;
    const picture = plate.querySelector(".still");
    const holder = document.createElement("div");
    holder.className = "zoom";
    plate.append(holder);
    plate.classList.add("alive");
    const viewer = window.OpenSeadragon({
      element: holder,
      tileSources: plate.dataset.info,
      showNavigationControl: false,
      showNavigator: false,
      drawer: "canvas",
      gestureSettingsMouse: { scrollToZoom: true, clickToZoom: false, dblClickToZoom: true },
      visibilityRatio: 0.5,
      minZoomImageRatio: 0.6,
      maxZoomPixelRatio: 3,
      animationTime: still ? 0 : 0.5,
      crossOriginPolicy: false,
      loadTilesWithAjax: false,
    });
    const tools = side.querySelector("[data-tools]");
    const view = { viewer, tools, number: Number(side.dataset.side), ready: false };
    const canvas = holder.querySelector(".openseadragon-canvas");
    if (canvas) {
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", picture.alt);
    }
    viewer.addHandler("open", () => {
      const port = viewer.viewport;
      view.box = plate.dataset.region
        ? port.imageToViewportRectangle(...plate.dataset.region.split(",").map(Number))
        : viewer.world.getItemAt(0).getBounds();
      home(view, true);
      view.ready = true;
      if (linked()) remember();
    });
    viewer.addHandler("open-failed", () => {
      plate.classList.remove("alive");
      holder.remove();
      tools.classList.add("hidden");
      view.ready = false;
    });
    tools.classList.remove("hidden");
    tools.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (!button || !view.ready) return;
      const port = viewer.viewport;
      if (button.dataset.do === "in") port.zoomBy(1.4);
      else if (button.dataset.do === "out") port.zoomBy(1 / 1.4);
      else if (button.dataset.do === "turn") port.setRotation((port.getRotation(false) + 90) % 360);
      else {
        // Both go home together, and lie to each other as at the beginning.
        for (const one of linked() ? views : [view]) { one.viewer.viewport.setRotation(0); home(one, false); }
        if (linked()) remember();
        return;
      }
      port.applyConstraints();
    });
    ["zoom", "pan", "rotate"].forEach((name) => viewer.addHandler(name, () => follow(view)));
    views.push(view);
  };
  const home = (view, now) => view.viewer.viewport.fitBounds(view.box, now);

  // A place in one image as a share of its size, so that scans of different sizes agree.
  const state = (view) => {
    const port = view.viewer.viewport;
    const center = port.getCenter(false);
    return {
      x: (center.x - view.box.x) / view.box.width,
      y: (center.y - view.box.y) / view.box.height,
      zoom: port.getZoom(false) * view.box.width,
      turn: port.getRotation(false),
    };
  };
  let between = null;
  let following = false;
  const remember = () => {
    if (views.length < 2 || !views.every((view) => view.ready)) return;
    const [a, b] = views.map(state);
    between = { x: b.x - a.x, y: b.y - a.y, zoom: b.zoom / a.zoom, turn: b.turn - a.turn };
  };
  const follow = (view) => {
    if (following || !linked() || !between || views.length < 2 || !views.every((one) => one.ready)) return;
    const other = views[view === views[0] ? 1 : 0];
    const sign = other === views[1] ? 1 : -1;
    const seen = state(view);
    following = true;
    const port = other.viewer.viewport;
    port.setRotation(seen.turn + sign * between.turn);
    port.zoomTo((seen.zoom * between.zoom ** sign) / other.box.width);
    const x = seen.x + sign * between.x;
    const y = seen.y + sign * between.y;
    port.panTo(new window.OpenSeadragon.Point(other.box.x + x * other.box.width, other.box.y + y * other.box.height));
    following = false;
  };

  const link = document.querySelector("[data-link]");
  const linked = () => Boolean(link) && link.getAttribute("aria-pressed") === "true";
  if (window.OpenSeadragon && document.querySelector("[data-leaf][data-info]")) {
    // OpenSeadragon would add a style element of its own, which our security policy refuses; its one rule stands in our style sheet.
    const style = document.createElement("style");
    style.setAttribute("data-openseadragon-mobile-css", "true");
    document.head.append(style);
    document.querySelectorAll("[data-side]").forEach(open);
  }
  if (link && views.length === 2) {
    link.closest("[data-instruments]").classList.remove("hidden");
    link.addEventListener("click", () => {
      link.setAttribute("aria-pressed", String(!linked()));
      if (linked()) remember();
    });
  }

  // Two recordings
  const deck = document.querySelector("[data-deck]");
  const players = [...document.querySelectorAll("[data-side] audio, [data-side] video")];
  document.querySelectorAll("[data-side]").forEach((side) => {
    const player = side.querySelector("audio, video");
    const lines = [...side.querySelectorAll(".cues li")];
    if (!player || !lines.length) return;
    const box = side.querySelector(".cues");
    let now = null;
    player.addEventListener("timeupdate", () => {
      let found = null;
      for (const line of lines) { if (Number(line.dataset.start) <= player.currentTime + 0.05) found = line; else break; }
      if (found === now) return;
      if (now) now.classList.remove("now");
      if (found) {
        found.classList.add("now");
        // Only the box of lines moves, and not while somebody reads in it.
        if (!box.matches(":hover, :focus-within")) box.scrollTop = found.offsetTop - box.offsetTop - box.clientHeight / 3;
      }
      now = found;
    });
    side.querySelector(".cues").addEventListener("click", (event) => {
      const line = event.target.closest("li");
      if (!line || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      player.currentTime = Number(line.dataset.start);
      player.play().catch(() => {});
    });
  });
  if (!deck || players.length < 2) return;
  deck.classList.remove("hidden");
  const words = deck.querySelector("[data-words]").dataset;
  const play = deck.querySelector('[data-do="play"]');
  const playing = () => players.some((player) => !player.paused);
  const say = () => { play.textContent = playing() ? words.pause : words.play; };
  players.forEach((player) => ["play", "pause", "ended"].forEach((name) => player.addEventListener(name, say)));
  play.addEventListener("click", () => {
    const stop = playing();
    players.forEach((player) => (stop ? player.pause() : player.play().catch(() => {})));
  });
  deck.querySelectorAll("[data-hear]").forEach((button) => button.addEventListener("click", () => {
    const wanted = button.dataset.hear;
    players.forEach((player, n) => { player.muted = wanted !== "both" && Number(wanted) !== n; });
    deck.querySelectorAll("[data-hear]").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
  }));
})();
