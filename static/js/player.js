// Recordings: a deck around the browser's own player. Timed text that follows inside its own box and yields to a reader who scrolls or steps
// through hits; a timeline with loudness, passages and pictures, to be moved along by keys; a passage to be heard again and again; links to the second.
// Without this file the native players, their captions, the search in the text and the links (?t=) still work.
"use strict";

(() => {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const told = (pattern, ...values) => values.reduce((text, value) => text.replace("%s", value), pattern);
  const clock = (seconds) => {
    const whole = Math.max(0, Math.floor(seconds || 0));
    const two = (n) => String(n).padStart(2, "0");
    const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
  };
  const short = (seconds) => String(Math.round(seconds * 1000) / 1000);
  const fetched = (url) => fetch(url, { credentials: "same-origin" }).then((answer) => (answer.ok ? answer : Promise.reject(new Error(answer.status))));

  // The text beside the recording.
  const textOf = (player, media, say, seek) => {
    const box = player.querySelector(".transcripts");
    if (!box) return null;
    const button = box.querySelector("[data-follow]");
    const tracks = [...box.querySelectorAll("[data-track]")].map((track) => ({
      track,
      list: track.querySelector("[data-cues]"),
      lines: [...track.querySelectorAll("[data-cues] > li")].map((line) => ({
        line, link: line.firstElementChild, words: line.querySelector("[data-words]"), start: Number(line.dataset.start), end: Number(line.dataset.end),
      })),
      current: [...track.querySelectorAll("li.now")],
    }));
    let following = true;
    const follow = (on) => {
      following = on;
      button.setAttribute("aria-pressed", String(on));
    };
    const show = (list, line) => {
      // Only the box scrolls: the page must stay where the reader left it.
      const top = line.offsetTop - list.clientHeight / 2 + line.offsetHeight / 2;
      list.scrollTo({ top: Math.max(0, top), behavior: still ? "auto" : "smooth" });
    };
    const yields = () => { if (media) follow(false); };

    const update = (t) => tracks.forEach((one) => {
      // Of lines that overlap those that began last; two of one beginning (a language each) are heard together.
      const heard = one.lines.filter((entry) => t >= entry.start && t < entry.end);
      const latest = heard.reduce((most, entry) => Math.max(most, entry.start), -1);
      const now = heard.filter((entry) => entry.start === latest).map((entry) => entry.line);
      if (now.length === one.current.length && now.every((line, n) => line === one.current[n])) return;
      one.current.forEach((line) => {
        line.classList.remove("now");
        line.firstElementChild.removeAttribute("aria-current");
      });
      one.current = now;
      now.forEach((line) => {
        line.classList.add("now");
        line.firstElementChild.setAttribute("aria-current", "true");
      });
      if (now.length && following) show(one.list, now[0]);
    });

    tracks.forEach((one) => {
      const { list } = one;
      ["wheel", "touchmove", "pointerdown"].forEach((kind) =>
        list.addEventListener(kind, (event) => { if (kind !== "pointerdown" || event.target === list) yields(); }, { passive: true }));
      list.addEventListener("keydown", (event) => {
        if (["PageUp", "PageDown", "Home", "End"].includes(event.key)) return yields();
        if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
        const links = one.lines.map((entry) => entry.link);
        const at = links.indexOf(document.activeElement);
        const from = at >= 0 ? at + (event.key === "ArrowDown" ? 1 : -1) : Math.max(0, one.lines.findIndex((entry) => entry.line === one.current[0]));
        const next = links[Math.min(links.length - 1, Math.max(0, from))];
        if (!next) return;
        yields();
        next.focus({ preventScroll: true });
        show(list, next.parentElement);
        event.preventDefault();
        event.stopPropagation();
      });
      list.addEventListener("click", (event) => {
        const link = event.target.closest("a");
        if (!media || !link || event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        follow(true);
        seek(Number(link.parentElement.dataset.start), true);
      });
      const toggle = one.track.querySelector("[data-show]");
      if (toggle) {
        toggle.hidden = false;
        toggle.addEventListener("click", () => {
          list.hidden = !list.hidden;
          one.track.classList.toggle("away", list.hidden);
          toggle.setAttribute("aria-pressed", String(!list.hidden));
        });
      }
      if (one.current.length) show(list, one.current[0]);
    });
    if (media) {
      button.hidden = false;
      button.addEventListener("click", () => {
        follow(!following);
        if (following) tracks.forEach((one) => { if (one.current.length) show(one.list, one.current[0]); });
      });
    }

    // Hits
    const form = box.querySelector("[data-find]");
    const field = form.elements.q;
    const output = form.querySelector("[data-hits]");
    const steps = form.querySelector("[data-steps]");
    let hits = [];
    let at = -1;
    const gather = () => {
      // In the order they are heard, over all tracks.
      hits = tracks.flatMap((one) => one.lines.filter((entry) => entry.words.querySelector("mark")).map((entry) => ({ list: one.list, ...entry })));
      hits.sort((a, b) => a.start - b.start);
      steps.hidden = hits.length === 0;
      at = -1;
    };
    const paint = (words, spans) => {
      const text = Array.from(words.textContent);
      const who = Number(words.dataset.who || 0);
      const marks = new Array(text.length).fill(false);
      spans.forEach(([start, end]) => marks.fill(true, start, end));
      const run = (from, to, into) => {
        for (let start = from; start < to;) {
          let end = start + 1;
          while (end < to && marks[end] === marks[start]) end += 1;
          const piece = text.slice(start, end).join("");
          if (marks[start]) {
            const mark = document.createElement("mark");
            mark.textContent = piece;
            into.append(mark);
          } else into.append(piece);
          start = end;
        }
      };
      words.textContent = "";
      if (who) {
        const name = document.createElement("b");
        name.className = "who";
        run(0, who, name);
        words.append(name);
      }
      run(who, text.length, words);
    };
    const step = (by) => {
      if (!hits.length) return;
      follow(false);
      if (at >= 0) hits[at].line.classList.remove("found-here");
      at = (at + by + hits.length) % hits.length;
      const hit = hits[at];
      hit.line.classList.add("found-here");
      if (hit.list.hidden) hit.list.closest("[data-track]").querySelector("[data-show]").click();
      show(hit.list, hit.line);
      hit.link.focus({ preventScroll: true });
      output.textContent = told(player.dataset.sayHits, at + 1, hits.length);
    };
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const query = field.value.trim();
      try {
        const answers = await Promise.all(tracks.map((one) =>
          query ? fetched(`${one.track.dataset.findAt}?q=${encodeURIComponent(query)}`).then((answer) => answer.json()) : { lines: [] }));
        answers.forEach((answer, n) => {
          const spans = new Map(answer.lines.map((line) => [line.line, line.spans]));
          tracks[n].lines.forEach((entry, m) => {
            if (spans.has(m) || entry.words.querySelector("mark")) paint(entry.words, spans.get(m) || []);
          });
        });
        gather();
        if (hits.length) step(1);
        else output.textContent = query ? player.dataset.sayNone : "";
      } catch {
        form.submit(); // the server marks the page itself
      }
    });
    gather();
    if (hits.length) {
      at = hits.findIndex((hit) => hit.line.classList.contains("now"));
      if (at >= 0) hits[at].line.classList.add("found-here");
      else show(hits[0].list, hits[0].line);
      output.textContent = told(player.dataset.sayHits, at + 1 || hits.length && 1, hits.length);
      if (at < 0) at = -1;
    }

    const leads = () => tracks.find((one) => !one.list.hidden) || tracks[0];
    return {
      update,
      step,
      // The line heard at a time, or the last one before it.
      at: (t) => leads().lines.filter((entry) => entry.start <= t + 0.01).pop() || null,
      beside: (t, by) => {
        const { lines } = leads();
        const starts = [...new Set(lines.map((entry) => entry.start))];
        const here = starts.filter((start) => start <= t + 0.01).length - 1;
        const start = starts[Math.min(starts.length - 1, Math.max(0, here + by))];
        return lines.find((entry) => entry.start === start) || null;
      },
    };
  };

  // Pictures of a film by time, fetched when first wanted.
  const filmstrip = (player, frame) => {
    const url = player.dataset.storyboard;
    let cues = null;
    const read = (text, base) => text.split(/\n\s*\n/).map((block) => {
      const found = block.match(/([\d:.]+) --> ([\d:.]+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)/);
      if (!found) return null;
      const seconds = (stamp) => stamp.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
      return { start: seconds(found[1]), end: seconds(found[2]), src: new URL(found[3], base).pathname, box: found.slice(4).map(Number) };
    }).filter(Boolean);
    return (t) => {
      if (!url) return;
      if (cues === null) {
        cues = [];
        fetched(url).then((answer) => answer.text()).then((text) => { cues = read(text, new URL(url, location.href)); }).catch(() => {});
      }
      const cue = cues.find((one) => t >= one.start && t < one.end) || cues[cues.length - 1];
      frame.hidden = !cue;
      if (!cue) return;
      const [x, y, w, h] = cue.box;
      Object.assign(frame.style, { width: `${w}px`, height: `${h}px`, backgroundImage: `url("${cue.src}")`, backgroundPosition: `-${x}px -${y}px` });
    };
  };

  const enliven = (player) => {
    const media = player.querySelector("audio, video");
    const words = player.dataset;
    if (!media) {
      textOf(player, null, () => {}, () => {});
      return;
    }
    const part = (name) => player.querySelector(`[data-${name}]`);
    const act = (name) => player.querySelector(`[data-do="${name}"]`);
    const film = media.tagName === "VIDEO";
    const deck = part("deck");
    const timeline = part("timeline");
    const gaps = [...player.querySelectorAll("[data-gap]")].map((gap) => gap.dataset.gap.split(",").map(Number));
    const duration = () => (Number.isFinite(media.duration) && media.duration > 0 ? media.duration : Number(words.duration)) || 0;
    const say = (text) => { part("say").textContent = text; };
    let loop = { a: null, b: null };

    const seek = (t, play) => {
      // Who goes elsewhere by hand has done with the passage.
      if (loop.b !== null && (t < loop.a || t >= loop.b)) setLoop(null, null);
      media.currentTime = Math.min(Math.max(0, t), Math.max(0, duration() - 0.05));
      if (play) media.play().catch(() => {});
      tick();
    };
    const text = textOf(player, media, say, seek);

    deck.hidden = false;
    const picture = player.querySelector("[data-still]");
    if (picture) picture.hidden = true;
    if (!film) media.controls = false;
    media.preservesPitch = true;

    // The timeline
    const canvas = part("canvas");
    const pen = canvas.getContext("2d");
    let peaks = null;
    const draw = () => {
      const [wide, high, ratio] = [timeline.clientWidth, timeline.clientHeight, devicePixelRatio || 1];
      if (!wide) return;
      canvas.width = Math.round(wide * ratio);
      canvas.height = Math.round(high * ratio);
      const played = duration() ? (media.currentTime / duration()) * canvas.width : 0;
      const middle = canvas.height / 2;
      const most = peaks ? Math.max(16, peaks.reduce((m, v) => Math.max(m, Math.abs(v)), 0)) : 1;
      const pairs = peaks ? peaks.length / 2 : 0;
      const [dark, light] = [ink("--cinnabar"), ink("--rule-2")];
      for (let x = 0; x < canvas.width; x += 1) {
        pen.fillStyle = x < played ? dark : light;
        if (!pairs) { if (!film) pen.fillRect(x, middle - ratio, 1, 2 * ratio); continue; }
        const from = Math.floor((x / canvas.width) * pairs);
        const to = Math.max(from + 1, Math.floor(((x + 1) / canvas.width) * pairs));
        let [low, top] = [0, 0];
        for (let n = from; n < to && n < pairs; n += 1) { low = Math.min(low, peaks[2 * n]); top = Math.max(top, peaks[2 * n + 1]); }
        const up = (top / most) * (middle - 2);
        const down = (-low / most) * (middle - 2);
        pen.fillRect(x, middle - Math.max(up, 0.5), 1, Math.max(up + down, 1));
      }
      if (film && !pairs) {
        pen.fillStyle = light;
        pen.fillRect(0, middle - 3 * ratio, canvas.width, 6 * ratio);
        pen.fillStyle = dark;
        pen.fillRect(0, middle - 3 * ratio, played, 6 * ratio);
      }
      pen.fillStyle = "rgba(36, 31, 25, .55)";
      gaps.forEach(([start, end]) => {
        const [x, w] = [(start / duration()) * canvas.width, ((end - start) / duration()) * canvas.width];
        for (let n = x; n < x + w; n += 5 * ratio) pen.fillRect(n, 0, 2 * ratio, canvas.height);
      });
    };
    new ResizeObserver(draw).observe(timeline);
    if (words.peaks) fetched(words.peaks).then((answer) => answer.json()).then((found) => { peaks = found.data; draw(); }).catch(() => {});

    const share = (t) => `${duration() ? Math.min(100, Math.max(0, (t / duration()) * 100)) : 0}%`;
    player.querySelectorAll("[data-bands] span").forEach((band, n) => {
      const lay = () => {
        band.style.left = share(Number(band.dataset.start));
        band.style.width = `calc(${share(Number(band.dataset.end) - Number(band.dataset.start))} - 2px)`;
      };
      band.classList.add(n % 2 ? "odd" : "even");
      lay();
      media.addEventListener("loadedmetadata", lay);
      band.addEventListener("click", () => seek(Number(band.dataset.start), true));
    });

    const between = part("between");
    const preview = part("preview");
    const strip = filmstrip(player, part("frame"));
    const glimpse = (t) => {
      strip(t);
      part("when").textContent = clock(t);
      preview.hidden = false;
      const x = duration() ? (t / duration()) * timeline.clientWidth : 0;
      preview.style.left = `${Math.min(timeline.clientWidth - preview.offsetWidth, Math.max(0, x - preview.offsetWidth / 2))}px`;
    };
    const pointed = (event) => {
      const box = timeline.getBoundingClientRect();
      return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * duration();
    };
    timeline.addEventListener("pointermove", (event) => {
      glimpse(pointed(event));
      if (event.buttons & 1 && timeline.hasPointerCapture(event.pointerId)) seek(pointed(event), false);
    });
    timeline.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      timeline.setPointerCapture(event.pointerId);
      seek(pointed(event), false);
    });
    timeline.addEventListener("pointerleave", () => { preview.hidden = true; });
    timeline.addEventListener("blur", () => { preview.hidden = true; });

    // What the deck shows
    let spoken = -1;
    const tick = () => {
      const t = media.currentTime;
      part("now").textContent = clock(t);
      part("all").textContent = clock(duration());
      part("needle").style.left = share(t);
      const whole = Math.floor(t);
      if (whole !== spoken) {
        spoken = whole;
        timeline.setAttribute("aria-valuenow", String(whole));
        timeline.setAttribute("aria-valuemax", String(Math.max(1, Math.floor(duration()))));
        const line = text && text.at(t);
        const shut = gaps.some(([start, end]) => t >= start && t < end);
        const heard = shut ? words.sayClosed : line && t < line.end ? line.words.textContent : "";
        timeline.setAttribute("aria-valuetext", told(words.sayOf, clock(t), clock(duration())) + (heard ? ` · ${heard}` : ""));
      }
      const citing = part("citing");
      if (citing) citing.href = `${words.cite}?t=${passage()}${words.meant}`;
      if (text) text.update(t);
      draw();
    };
    const passage = () => {
      const t = media.currentTime;
      if (loop.a !== null && loop.b !== null) return `${short(loop.a)},${short(loop.b)}`;
      const line = text && text.at(t);
      return line && t < line.end ? `${short(line.start)},${short(line.end)}` : short(t);
    };
    const state = () => {
      act("play").textContent = media.paused ? words.sayPlay : words.sayPause;
    };
    ["timeupdate", "seeked", "loadedmetadata"].forEach((kind) => media.addEventListener(kind, tick));
    ["play", "pause", "ended"].forEach((kind) => media.addEventListener(kind, state));

    // A passage heard again and again
    const write = () => {
      const url = new URL(location.href);
      const asked = url.searchParams;
      ["t", "loop", "rate", "track"].forEach((name) => asked.delete(name));
      if (loop.b !== null) {
        asked.set("t", `${short(loop.a)},${short(loop.b)}`);
        if (words.meant) asked.set("track", words.meant.split("=")[1]);
        asked.set("loop", "1");
      }
      if (media.playbackRate !== 1) asked.set("rate", String(media.playbackRate));
      history.replaceState(null, "", url.pathname + (asked.size ? `?${String(asked).replace(/%2C/g, ",")}` : "") + url.hash);
    };
    const setLoop = (a, b) => {
      loop = { a, b };
      act("a").setAttribute("aria-pressed", String(a !== null));
      act("b").setAttribute("aria-pressed", String(b !== null));
      act("clear").disabled = a === null && b === null;
      between.hidden = a === null;
      if (a !== null) {
        between.style.left = share(a);
        between.style.width = b === null ? "2px" : `calc(${share(b)} - ${share(a)})`;
      }
      write();
    };
    const again = () => {
      if (loop.b !== null && !media.paused && media.currentTime >= loop.b) media.currentTime = loop.a;
      if (!media.paused) requestAnimationFrame(again);
    };
    media.addEventListener("play", () => requestAnimationFrame(again));
    media.addEventListener("timeupdate", () => { if (loop.b !== null && media.currentTime >= loop.b) media.currentTime = loop.a; });
    media.addEventListener("ended", () => { if (loop.b !== null) seek(loop.a, true); });

    const rates = part("rate");
    const faster = (rate) => {
      media.playbackRate = rate;
      media.defaultPlaybackRate = rate;
      rates.value = String(rate);
      say(told(words.sayRate, `${rate}×`));
      write();
    };
    rates.addEventListener("change", () => faster(Number(rates.value)));
    const otherRate = (by) => {
      const all = [...rates.options].map((option) => Number(option.value));
      faster(all[Math.min(all.length - 1, Math.max(0, all.indexOf(media.playbackRate) + by))]);
    };
    const volume = part("volume");
    if (volume) volume.addEventListener("input", () => { media.volume = Number(volume.value); });

    const copy = async (what, shown) => {
      try {
        await navigator.clipboard.writeText(what);
        say(`${words.sayCopied} ${shown}`);
      } catch {
        say(`${words.sayFailed} ${what}`);
      }
    };
    const link = () => {
      const here = loop.b !== null ? `${short(loop.a)},${short(loop.b)}` : short(media.currentTime);
      return `${words.link}?t=${here}${words.meant}`;
    };
    const captions = () => {
      const shownNow = [...media.textTracks].find((track) => track.kind === "captions" && track.mode === "showing");
      const first = [...media.textTracks].find((track) => track.kind === "captions");
      if (shownNow) shownNow.mode = "hidden";
      else if (first) first.mode = "showing";
      if (act("captions")) act("captions").setAttribute("aria-pressed", String(!shownNow));
    };
    const actions = {
      play: () => (media.paused ? media.play().catch(() => {}) : media.pause()),
      back: () => seek(media.currentTime - 5, false),
      on: () => seek(media.currentTime + 5, false),
      "line-before": () => { const line = text && text.beside(media.currentTime, -1); if (line) seek(line.start, !media.paused); },
      "line-after": () => { const line = text && text.beside(media.currentTime, 1); if (line) seek(line.start, !media.paused); },
      a: () => { setLoop(media.currentTime, loop.b !== null && loop.b > media.currentTime ? loop.b : null); say(told(words.sayA, clock(media.currentTime))); },
      b: () => {
        const b = media.currentTime;
        const a = loop.a === null ? 0 : loop.a;
        if (b <= a + 0.1) return say(words.sayOrder);
        setLoop(a, b);
        say(told(words.sayB, clock(b)));
      },
      clear: () => { setLoop(null, null); say(words.sayClear); act("play").focus(); },
      captions,
      link: () => copy(link(), link()),
      quote: async () => {
        try {
          const found = await (await fetched(`${words.cite}?t=${passage()}${words.meant}&format=json`)).json();
          const cited = found.citation && (found.citation["gbt7714-2025"] || Object.values(found.citation)[0]);
          await copy([found.quotation, cited, found.link].filter(Boolean).join("\n"), cited || "");
        } catch {
          location.assign(`${words.cite}?t=${passage()}${words.meant}`);
        }
      },
      "hit-before": () => text && text.step(-1),
      "hit-after": () => text && text.step(1),
    };
    player.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button && actions[button.dataset.do]) actions[button.dataset.do]();
    });
    player.querySelectorAll(".segments a[data-start]").forEach((chapter) =>
      chapter.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        seek(Number(chapter.dataset.start), true);
      }));

    // Keys, only while the focus is inside this player (WCAG 2.1.4).
    const moves = { ArrowLeft: -5, ArrowRight: 5, PageDown: -30, PageUp: 30 };
    const onTimeline = { ArrowDown: -5, ArrowUp: 5 };
    const keys = {
      k: "play", j: "back", l: "on", ",": "line-before", ".": "line-after", "[": "a", "]": "b", escape: "clear", n: "hit-after", p: "hit-before", c: "captions",
    };
    player.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea") || event.target === media) return;
      const here = event.target === timeline;
      const by = moves[event.key] ?? (here ? onTimeline[event.key] : undefined);
      if (by !== undefined && (here || !event.target.closest("[data-cues]") || event.key.startsWith("Arrow"))) {
        const step = event.shiftKey && Math.abs(by) === 5 ? Math.sign(by) : by;
        seek(media.currentTime + step, false);
        if (here) glimpse(media.currentTime);
      } else if (here && event.key === "Home") seek(0, false);
      else if (here && event.key === "End") seek(duration(), false);
      else if (event.key === " " && !event.target.closest("button, a, summary")) actions.play();
      else if (here && event.key === "Enter") actions.play();
      else if (event.key === "-" || event.key === "=") otherRate(event.key === "-" ? -1 : 1);
      else if (keys[event.key.toLowerCase()]) actions[keys[event.key.toLowerCase()]]();
      else return;
      event.preventDefault();
    });

    // What the address asks for
    const asked = new URLSearchParams(location.search);
    const start = Number(words.start);
    if (asked.has("rate") && [...rates.options].some((option) => option.value === asked.get("rate"))) faster(Number(asked.get("rate")));
    const wanted = (asked.get("t") || "").split(",").map(Number);
    const mine = (asked.get("track") || "") === words.meant.replace("&track=", "") || (asked.has("track") && player.querySelector(`[data-track="${CSS.escape(asked.get("track"))}"]`));
    if (mine && asked.get("loop") === "1" && wanted.length === 2 && wanted[1] > wanted[0] && start === wanted[0]) {
      const begin = () => { setLoop(wanted[0], wanted[1]); seek(wanted[0], false); };
      if (media.readyState) begin();
      else media.addEventListener("loadedmetadata", begin, { once: true });
    }
    tick();
    state();
  };

  document.querySelectorAll("[data-player]").forEach(enliven);
  // A link to a line: the line has the focus, Enter plays it. After the browser has gone to the fragment, which takes the focus away.
  const line = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const focus = () => setTimeout(() => {
    if (document.activeElement === document.body) line.firstElementChild.focus({ preventScroll: true });
  });
  if (line && line.matches("[data-cues] > li")) {
    if (document.readyState === "complete") focus();
    else addEventListener("load", focus, { once: true });
  }
})();
