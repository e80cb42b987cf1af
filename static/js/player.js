// Recordings: timed text that follows inside its own box and yields when the reader scrolls; click a line to hear it; a waveform to point into.
// Without this file the native players, their captions and the links (?t=) still work.
"use strict";

(() => {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

  const enliven = (player) => {
    const media = player.querySelector("audio, video");
    if (!media) return;
    const lists = [...player.querySelectorAll("[data-cues]")];
    const play = (start) => {
      media.currentTime = start;
      media.play().catch(() => {});
    };

    lists.forEach((list) => {
      const lines = [...list.querySelectorAll("li")].map((line) => ({
        line, start: Number(line.dataset.start), end: Number(line.dataset.end),
      }));
      const button = list.parentElement.querySelector("[data-follow]");
      let following = true;
      let ours = 0;
      const setFollowing = (on) => {
        following = on;
        if (button) button.setAttribute("aria-pressed", String(on));
      };
      if (button) {
        button.classList.remove("hidden");
        button.addEventListener("click", () => setFollowing(!following));
      }
      const show = (line) => {
        // Only the box scrolls: the page must stay where the reader left it.
        const top = line.offsetTop - list.clientHeight / 2 + line.offsetHeight / 2;
        ours = Date.now();
        list.scrollTo({ top: Math.max(0, top), behavior: still ? "auto" : "smooth" });
      };
      ["wheel", "touchmove", "pointerdown"].forEach((kind) =>
        list.addEventListener(kind, () => { if (!media.paused) setFollowing(false); }, { passive: true }));
      list.addEventListener("keydown", (event) => {
        if (["PageUp", "PageDown", "Home", "End"].includes(event.key) && !media.paused) setFollowing(false);
        if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
        const links = [...list.querySelectorAll("a")];
        const at = links.indexOf(document.activeElement);
        const next = links[Math.min(links.length - 1, Math.max(0, at + (event.key === "ArrowDown" ? 1 : -1)))];
        if (next) { next.focus({ preventScroll: true }); show(next.parentElement); event.preventDefault(); }
      });
      list.addEventListener("click", (event) => {
        const link = event.target.closest("a");
        if (!link || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        setFollowing(true);
        play(Number(link.parentElement.dataset.start));
      });
      let current = list.querySelector("li.now");
      if (current) show(current);
      media.addEventListener("timeupdate", () => {
        const t = media.currentTime;
        const now = lines.find((entry) => t >= entry.start && t < entry.end);
        const line = now ? now.line : null;
        if (line === current) return;
        if (current) { current.classList.remove("now"); current.firstElementChild.removeAttribute("aria-current"); }
        current = line;
        if (!line) return;
        line.classList.add("now");
        line.firstElementChild.setAttribute("aria-current", "true");
        if (following) show(line);
      });
    });

    player.querySelectorAll(".segments a").forEach((link) =>
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        play(Number(link.dataset.start));
      }));

    const wave = player.querySelector("[data-wave]");
    if (wave) {
      const needle = document.createElement("span");
      needle.className = "now";
      wave.append(needle);
      media.addEventListener("timeupdate", () => {
        if (media.duration) needle.style.left = `${(media.currentTime / media.duration) * 100}%`;
      });
      wave.addEventListener("click", (event) => {
        if (!media.duration) return;
        const box = wave.getBoundingClientRect();
        play(((event.clientX - box.left) / box.width) * media.duration);
      });
    }
  };

  document.querySelectorAll("[data-player]").forEach(enliven);
})();
