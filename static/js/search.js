/* The search box and the list of hits, for those whose browser runs scripts; without it everything works by links and the form.
   Keys: / to the box; j k and the arrows from hit to hit; Enter is the link's own. Suggestions follow the ARIA combobox pattern. */
"use strict";

(() => {
  const typing = (element) => element && (element.isContentEditable || /^(input|textarea|select)$/i.test(element.tagName));
  const box = document.getElementById("q-main") || document.querySelector("input[type='search']");
  const hits = [...document.querySelectorAll("[data-hits] [data-hit]")];
  document.querySelectorAll("[data-keys]").forEach((hint) => hint.classList.remove("hidden"));

  const step = (by) => {
    const at = hits.indexOf(document.activeElement);
    const next = hits[at < 0 ? (by > 0 ? 0 : hits.length - 1) : at + by];
    if (!next) return at === 0 && by < 0 && box ? (box.focus(), true) : false;
    next.focus();
    next.closest(".hit").scrollIntoView({ block: "nearest" });
    return true;
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (typing(document.activeElement)) {
      const leaves = document.activeElement === box && event.key === "ArrowDown" && hits.length;
      if (leaves && step(1)) event.preventDefault();
      return;
    }
    if (event.key === "/" && box) {
      event.preventDefault();
      box.focus();
      box.select();
    } else if (hits.length) {
      const on = hits.includes(document.activeElement);
      const by = event.key === "j" || (on && event.key === "ArrowDown") ? 1 : event.key === "k" || (on && event.key === "ArrowUp") ? -1 : 0;
      if (by && step(by)) event.preventDefault();
    }
  });

  document.querySelectorAll("input[data-suggest]").forEach((input) => suggest(input));

  function suggest(input) {
    const list = document.createElement("ul");
    let chosen = -1, asked = "", waiting = 0, known = new Map();
    list.className = "suggestions hidden";
    list.id = `${input.id}-suggestions`;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", input.labels[0] ? input.labels[0].textContent : "");
    input.parentElement.append(list);
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", list.id]]) input.setAttribute(name, value);

    const close = () => {
      chosen = -1;
      list.classList.add("hidden");
      input.parentElement.classList.remove("open");
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };

    const choose = (at) => {
      const options = [...list.children];
      chosen = (at + options.length + 1) % (options.length + 1);
      options.forEach((option, n) => option.setAttribute("aria-selected", String(n === chosen)));
      if (chosen < options.length) input.setAttribute("aria-activedescendant", options[chosen].id);
      else { chosen = -1; input.removeAttribute("aria-activedescendant"); }
    };

    const take = (option) => {
      input.value = option.firstChild.textContent;
      close();
      input.form.requestSubmit();
    };

    const show = (found) => {
      list.replaceChildren(...found.map((one, n) => {
        const option = document.createElement("li");
        option.id = `${list.id}-${n}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        for (const text of [one.text, one.note]) {
          const span = document.createElement("span");
          span.textContent = text;
          option.append(span);
        }
        option.firstChild.lang = "zh";
        option.addEventListener("mousedown", (event) => { event.preventDefault(); take(option); });
        return option;
      }));
      if (!found.length || document.activeElement !== input) return close();
      chosen = -1;
      list.classList.remove("hidden");
      input.parentElement.classList.add("open");
      input.setAttribute("aria-expanded", "true");
    };

    const ask = async () => {
      const text = input.value.trim();
      if (text === asked) return;
      asked = text;
      if (!text || text.length > 40) return close();
      if (!known.has(text)) {
        try {
          const answer = await fetch(`${input.dataset.suggest}?q=${encodeURIComponent(text)}`, { headers: { Accept: "application/json" } });
          if (!answer.ok) return close();
          if (known.size > 50) known = new Map();
          known.set(text, (await answer.json()).suggestions);
        } catch { return close(); }
      }
      if (text === asked) show(known.get(text));
    };

    input.addEventListener("input", (event) => {
      if (event.isComposing) return;
      clearTimeout(waiting);
      waiting = setTimeout(ask, 120);
    });
    input.addEventListener("compositionend", () => { clearTimeout(waiting); waiting = setTimeout(ask, 120); });
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      const open = input.getAttribute("aria-expanded") === "true";
      if (event.isComposing || !open) return;
      if (event.key === "ArrowDown") choose(chosen < 0 ? 0 : chosen + 1);
      else if (event.key === "ArrowUp") choose(chosen < 0 ? list.children.length - 1 : chosen - 1);
      else if (event.key === "Enter" && chosen >= 0) take(list.children[chosen]);
      else if (event.key === "Escape") { close(); asked = input.value.trim(); }
      else return;
      event.preventDefault();
    });
  }
})();
