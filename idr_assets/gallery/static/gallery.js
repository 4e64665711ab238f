// The gallery's pages: what became of an image is asked for when its card is seen, and names are searched.
"use strict";
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    fetch(target.dataset.facts).then((answer) => (answer.ok ? answer.text() : "")).then((text) => { target.innerHTML = text; });
  }
}, { rootMargin: "200px" });
document.querySelectorAll("[data-facts]").forEach((place) => seen.observe(place));

document.getElementById("filter")?.addEventListener("input", ({ target }) => {
  let shown = 0;
  for (const card of document.querySelectorAll("[data-name]")) {
    card.hidden = !card.dataset.name.includes(target.value.toLowerCase());
    shown += !card.hidden;
  }
  document.getElementById("shown").textContent = target.value ? `${shown} shown` : "";
});

document.getElementById("from")?.addEventListener("change", ({ target }) => { location.search = `?from=${target.value}`; });
