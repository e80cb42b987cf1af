// Copy buttons beside the boxes of the citing page. Without this file the boxes are there, to be chosen and copied by hand.
"use strict";

(() => {
  const all = document.querySelector("[data-copied]");
  if (!all || !navigator.clipboard) return;
  const say = document.createElement("span");
  say.className = "seen-by-readers-only";
  say.setAttribute("role", "status");
  all.append(say);
  all.querySelectorAll(".cite-box").forEach((box) => {
    const text = box.querySelector("textarea");
    const title = box.querySelector("label");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = all.dataset.copy;
    button.setAttribute("aria-describedby", title.id);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text.value);
      } catch {
        text.select();
        return;
      }
      button.textContent = all.dataset.copied;
      say.textContent = `${title.textContent}：${all.dataset.copied}`;
      setTimeout(() => {
        button.textContent = all.dataset.copy;
        say.textContent = "";
      }, 2000);
    });
    box.querySelector(".cite-head").append(button);
  });
})();
