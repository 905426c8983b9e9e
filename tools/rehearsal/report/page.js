// Draws the plots of each section when it is opened; their specifications are in the page's data.
"use strict";
const { config, specs } = JSON.parse(document.getElementById("data").textContent);
const draw = (place) => {
  place.classList.add("started");
  vegaEmbed(place, specs[place.id], { config, renderer: "svg", actions: false })
    .then(() => place.classList.add("drawn"))
    .catch((error) => console.error(place.id, error));
};
const visible = (place) => place.parentElement.closest("details:not([open])") === null;
const drawVisible = () => [...document.querySelectorAll(".plot:not(.started)")].filter(visible).forEach(draw);
const openNamed = () => {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named instanceof HTMLDetailsElement) {
    named.open = true;
    named.scrollIntoView();
  }
};
document.addEventListener("toggle", drawVisible, true);
addEventListener("hashchange", openNamed);
openNamed();
drawVisible();
