// One key for each act: an element with data-key is pressed by that key; rows with data-row are walked with J and K.
// Nothing happens while somebody types, or holds Ctrl, Alt or Meta.
(() => {
  "use strict";
  const typing = (node) => node.matches("input, textarea, select, [contenteditable]");
  const rows = () => [...document.querySelectorAll("[data-row]")];

  const walk = (step) => {
    const all = rows();
    const at = all.indexOf(document.activeElement);
    const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
    if (next) next.focus();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat) return;
    if (typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const key = event.key.toLowerCase();
    if (key === "j" || key === "k") return walk(key === "j" ? 1 : -1);
    const found = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!found) return;
    event.preventDefault();
    if (typing(found)) found.focus();
    else found.click();
  });

  // Somebody who reads badly may listen instead; the voice is the machine's own, nothing leaves it.
  document.querySelectorAll("[data-read-aloud]").forEach((button) => {
    if (!("speechSynthesis" in window)) return;
    button.hidden = false;
    button.addEventListener("click", () => {
      window.speechSynthesis.cancel();
      const words = new SpeechSynthesisUtterance(document.querySelector(button.dataset.readAloud).innerText);
      words.lang = "zh-CN";
      words.rate = 0.85;
      window.speechSynthesis.speak(words);
    });
  });

  // Beside the results there is room for what narrows them; on a phone it waits behind its title.
  const unfold = () => {
    if (!window.matchMedia("(min-width: 64rem)").matches) return;
    document.querySelectorAll("[data-open-wide]").forEach((one) => { one.open = true; });
  };
  unfold();
  document.addEventListener("htmx:afterSettle", unfold);

  document.querySelectorAll("[data-check-all]").forEach((box) => {
    box.addEventListener("change", () => {
      document.querySelectorAll(`input[name="${box.dataset.checkAll}"]`).forEach((one) => { one.checked = box.checked; });
    });
  });
})();
