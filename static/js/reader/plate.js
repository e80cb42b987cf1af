// The image of a leaf or an opening: zoom, marks of hits, fading print made readable, full screen. Loaded before the first tile; the rest of the
// reader comes after it. Without this file the page shows image, text and links; nothing here is needed to read.
"use strict";

(() => {
  const root = document.querySelector("[data-reading]");
  if (!root) return;
  const words = JSON.parse(root.dataset.words);
  const say = document.querySelector("[data-say]");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const reading = {
    root,
    viewer: null,
    plates: [],
    word: (name, ...values) => values.reduce((text, value) => text.replace("{}", value), words[name] || name),
    say: (text) => { say.textContent = text; },
    // The address tells how the page looks; `push` makes a step that the back button takes back.
    address: (changes) => {
      const url = new URL(location.href);
      for (const [name, value] of Object.entries(changes)) {
        if (value === null || value === "") url.searchParams.delete(name);
        else url.searchParams.set(name, value);
      }
      return url;
    },
    remember: (changes) => {
      history.replaceState(history.state, "", reading.address(changes).href.replaceAll("%2C", ","));
      for (const link of root.querySelectorAll("a[data-go], a[data-hit-go][href], a[data-choose]")) {
        const url = new URL(link.href);
        for (const [name, value] of Object.entries(changes)) {
          if (["zoom", "xywh"].includes(name) || link.dataset.choose?.startsWith(`${name}=`)) continue;
          if (value === null || value === "") url.searchParams.delete(name);
          else url.searchParams.set(name, value);
        }
        link.href = url.href;
      }
    },
    // Calls that files loaded later put in place.
    heard: {},
    on: (name, act) => { (reading.heard[name] ||= []).push(act); },
    tell: (name, ...given) => (reading.heard[name] || []).forEach((act) => act(...given)),
  };
  window.reading = reading;
  root.classList.add("scripted");

  let loaded = false;
  const rest = () => {
    if (loaded) return;
    loaded = true;
    const wanted = root.dataset.more.trim().split(/\s+/);
    let left = wanted.length;
    for (const address of wanted) {
      const script = document.createElement("script");
      script.src = address;
      script.async = false; // in this order
      script.onload = () => { if ((left -= 1) === 0) root.dataset.ready = "true"; };
      document.head.append(script);
    }
  };

  // The server's drawings stand where a browser without scripts reads them.
  const drawingOf = (id) => {
    const held = reading.stage.querySelector(".plates");
    const from = held.tagName === "NOSCRIPT" ? new DOMParser().parseFromString(held.textContent, "text/html") : held;
    const found = from.querySelector(`[data-of="${CSS.escape(id)}"] svg.drawing`);
    return found ? document.importNode(found, true) : null;
  };

  const parts = document.querySelector("[data-instruments-of]").content.cloneNode(true);
  const plate = parts.querySelector("[data-plate]");
  const holder = parts.querySelector("[data-zoom]");
  const tools = parts.querySelector("[data-instruments]");
  reading.tools = tools;
  reading.plate = plate;

  const rtl = root.dataset.direction === "rtl";
  const GAP = 0.006;
  /** Where each leaf stands in the opening: height 1, the one read first on the right in a book from right to left. */
  const places = (plates) => {
    const seen = plates.find((one) => one.width);
    const wide = (one) => (one.width ? one.width / one.height : seen ? seen.width / seen.height : 0.7);
    let x = 0;
    const found = [];
    for (const one of rtl ? [...plates].reverse() : plates) {
      found.push({ ...one, x, w: wide(one) });
      x += wide(one) + GAP;
    }
    return found;
  };

  const fit = () => {
    const narrow = matchMedia("(max-width: 60rem)").matches;
    const width = reading.plates.reduce((sum, one) => sum + one.w, 0);
    const full = document.fullscreenElement;
    plate.style.height = narrow && width && !full ? `${Math.max(200, Math.min(plate.clientWidth / width, innerHeight * 0.8))}px` : "";
  };
  addEventListener("resize", fit);

  const open = () => {
    const stage = root.querySelector("[data-stage]");
    reading.stage = stage;
    const given = stage?.dataset.viewer;
    if (!given || !window.OpenSeadragon || root.dataset.view === "scroll") {
      plate.remove();
      tools.remove();
      reading.plates = [];
      rest();
      return;
    }
    stage.prepend(plate, tools);
    reading.plates = places(JSON.parse(given));
    fit();
    const viewer = reading.viewer || make();
    viewer.clearOverlays();
    viewer.close();
    const wanted = reading.plates.filter((one) => one.source).map((one) => {
      const [rx, ry, rw, rh] = one.region || [0, 0, one.source.width, one.source.height];
      const source = { ...one.source, id: new URL(one.source.id, location.href).href };
      const whole = { tileSource: source, x: one.x - rx / rh, y: -ry / rh, height: one.source.height / rh };
      return one.region ? { ...whole, clip: new window.OpenSeadragon.Rect(rx, ry, rw, rh) } : whole;
    });
    viewer.open(wanted);
  };
  reading.open = open;

  /** What of a leaf, in its pixels, is where in the viewer. */
  const rectOf = (one, [x, y, w, h]) => new window.OpenSeadragon.Rect(one.x + x / one.height, y / one.height, w / one.height, h / one.height);
  reading.rectOf = rectOf;

  const whole = () => {
    const last = reading.plates[reading.plates.length - 1];
    return new window.OpenSeadragon.Rect(0, 0, last.x + last.w, 1);
  };
  const asked = () => new URL(location.href).searchParams;
  const region = (name) => (/^\d+,\d+,[1-9]\d*,[1-9]\d*$/.test(asked().get(name) || "") ? asked().get(name).split(",").map(Number) : null);
  const focal = () => reading.plates.find((one) => one.id === root.dataset.page) || reading.plates[0];
  reading.focal = focal;

  const arrived = () => {
    const viewer = reading.viewer;
    for (const one of reading.plates) {
      if (!one.source) {
        const blank = document.createElement("div");
        blank.className = "blank-leaf";
        blank.textContent = one.missing ? reading.word("missing") : reading.word("noimage");
        viewer.addOverlay({ element: blank, location: new window.OpenSeadragon.Rect(one.x, 0, one.w, 1) });
        continue;
      }
      const drawing = drawingOf(one.id);
      if (drawing) {
        drawing.dataset.of = one.id;
        viewer.addOverlay({ element: drawing, location: new window.OpenSeadragon.Rect(one.x, 0, one.w, 1) });
      }
    }
    const canvas = holder.querySelector(".openseadragon-canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", reading.plates.map((one) => one.alt || `${one.label} ${reading.word("missing")}`).join("；"));
    viewer.viewport.setRotation(Number(asked().get("turn")) || 0, true);
    const kept = region("zoom");
    const framed = region("xywh");
    if (kept) viewer.viewport.fitBounds(rectOf(focal(), kept), true);
    else if (framed) viewer.viewport.fitBoundsWithConstraints(grown(rectOf(focal(), framed)), true);
    else viewer.viewport.fitBounds(whole(), true);
    nearness();
    tune();
    reading.tell("opened");
  };
  // Something of what lies around is seen too, or nobody knows where on the leaf they are.
  const grown = (r) => {
    const side = Math.max(r.width, r.height, 0.2) * 0.35;
    return new window.OpenSeadragon.Rect(r.x - side, r.y - side, r.width + 2 * side, r.height + 2 * side);
  };
  reading.show = (one, box) => reading.viewer.viewport.fitBoundsWithConstraints(grown(rectOf(one, box)), still);

  let started = null;
  /** Seen whole, the leaf lets a finger scroll the page; enlarged, the finger moves the leaf. */
  const nearness = () => {
    const { viewport } = reading.viewer;
    plate.classList.toggle("near", viewport.getZoom(false) > viewport.getHomeZoom() * 1.05);
  };

  const make = () => {
    // OpenSeadragon would add a style element of its own, which our security policy refuses; its one rule stands in our style sheet.
    const style = document.createElement("style");
    style.setAttribute("data-openseadragon-mobile-css", "true");
    document.head.append(style);
    const viewer = window.OpenSeadragon({
      element: holder,
      showNavigationControl: false,
      showNavigator: false,
      drawer: "canvas",
      gestureSettingsMouse: { scrollToZoom: true, clickToZoom: false, dblClickToZoom: true },
      gestureSettingsTouch: { pinchRotate: false, clickToZoom: false, dblClickToZoom: true },
      visibilityRatio: 0.5,
      minZoomImageRatio: 0.8,
      maxZoomPixelRatio: 3,
      animationTime: still ? 0 : 0.5,
      crossOriginPolicy: false,
      loadTilesWithAjax: false,
    });
    viewer.innerTracker.keyHandler = null; // our own keys, the same everywhere on the page
    viewer.innerTracker.keyDownHandler = null;
    reading.viewer = viewer;
    viewer.addHandler("open", arrived);
    viewer.addHandler("tile-drawn", rest);
    viewer.addHandler("open-failed", failed);
    viewer.addHandler("zoom", nearness);
    viewer.addHandler("canvas-drag-end", (event) => {
      // A leaf seen whole is turned by a swipe, as the book's own leaves are pulled over; one that is enlarged is moved about.
      if (event.originalEvent?.pointerType !== "touch" || plate.classList.contains("near") || !started) return;
      const across = event.position.x - started.x;
      if (Math.abs(across) > 60 && Math.abs(across) > 1.5 * Math.abs(event.position.y - started.y)) reading.follow?.((across > 0) === rtl ? "next" : "prev");
    });
    viewer.addHandler("canvas-press", (event) => { started = event.position; });
    viewer.addHandler("animation-finish", () => {
      const one = focal();
      if (!one) return;
      const home = whole();
      const seen = viewer.viewport.getBounds();
      const near = Math.abs(seen.getCenter().x - home.getCenter().x) < 0.02 && viewer.viewport.getZoom() <= viewer.viewport.getHomeZoom() * 1.03;
      const box = [(seen.x - one.x) * one.height, seen.y * one.height, seen.width * one.height, seen.height * one.height].map((n) => Math.max(0, Math.round(n)));
      reading.remember({ zoom: near || box[2] < 1 || box[3] < 1 ? null : box.join(",") });
    });
    return viewer;
  };

  /** The plain images take over again. */
  const failed = () => {
    const held = reading.stage.querySelector("noscript.plates");
    if (!held) return;
    const shown = document.createElement("div");
    shown.className = "plates";
    shown.append(...new DOMParser().parseFromString(held.textContent, "text/html").body.childNodes);
    held.replaceWith(shown);
    plate.remove();
    tools.remove();
    rest();
  };

  // Fading print: the picture is changed as it is drawn, never what is stored.
  const tuned = () => ({ contrast: Number(asked().get("contrast")) || 100, bright: Number(asked().get("bright")) || 100, invert: asked().get("invert") === "1" });
  const tune = () => {
    const { contrast, bright, invert } = tuned();
    const within = (n, low, high) => Math.min(high, Math.max(low, n));
    const filter = `${invert ? "invert(1) " : ""}brightness(${within(bright, 50, 200)}%) contrast(${within(contrast, 50, 300)}%)`;
    const plain = !invert && contrast === 100 && bright === 100;
    root.style.setProperty("--print", plain ? "none" : filter);
    tools.querySelector("[data-tune=contrast]").value = contrast;
    tools.querySelector("[data-tune=bright]").value = bright;
    tools.querySelector("[data-tune=invert]").checked = invert;
  };
  tools.addEventListener("input", (event) => {
    const what = event.target.dataset.tune;
    if (!what) return;
    const value = what === "invert" ? (event.target.checked ? "1" : null) : event.target.value === "100" ? null : event.target.value;
    reading.remember({ [what]: value });
    tune();
  });
  reading.invert = () => {
    reading.remember({ invert: tuned().invert ? null : "1" });
    tune();
  };

  const spoken = () => {
    const viewport = reading.viewer.viewport;
    const first = reading.viewer.world.getItemAt(0);
    const per = first ? Math.round(first.viewportToImageZoom(viewport.getZoom(false)) * 100) : 100;
    reading.say(reading.word("zoom", per));
  };
  reading.acts = {
    in: () => { reading.viewer.viewport.zoomBy(1.4); spoken(); },
    out: () => { reading.viewer.viewport.zoomBy(1 / 1.4); spoken(); },
    home: () => { reading.viewer.viewport.setRotation(0); reading.viewer.viewport.fitBounds(whole()); reading.remember({ turn: null, zoom: null }); spoken(); },
    turn: () => {
      const turn = (reading.viewer.viewport.getRotation() + 90) % 360;
      reading.viewer.viewport.setRotation(turn);
      reading.remember({ turn: turn || null });
      reading.say(reading.word("turned", turn));
    },
    full: () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen()),
  };
  tools.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (event.target.closest("[data-tune-home]")) {
      reading.remember({ contrast: null, bright: null, invert: null });
      tune();
    } else if (button && reading.acts[button.dataset.do]) {
      reading.acts[button.dataset.do]();
      reading.viewer.viewport.applyConstraints();
    }
  });
  document.addEventListener("fullscreenchange", fit);

  if (!root.requestFullscreen) tools.querySelector('[data-do="full"]').remove(); // phones of one maker
  open();
  setTimeout(rest, 4000); // where no tile comes at all
})();
