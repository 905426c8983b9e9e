// Draws each plot when it comes into view; its specification stands in the page's data.
"use strict";
const { config, specs } = JSON.parse(document.getElementById("data").textContent);
const draw = (place) =>
  vegaEmbed(place, specs[place.id], { config, renderer: "svg", actions: false, tooltip: { theme: "custom" } })
    .then(() => place.classList.add("drawn"))
    .catch((error) => console.error(place.id, error));
const seen = new IntersectionObserver(
  (entries) =>
    entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
      seen.unobserve(entry.target);
      draw(entry.target);
    }),
  { rootMargin: "300px" },
);
document.querySelectorAll(".plot").forEach((place) => seen.observe(place));
const open = () => {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named instanceof HTMLDetailsElement) {
    named.open = true;
    named.scrollIntoView();
  }
};
addEventListener("hashchange", open);
open();
