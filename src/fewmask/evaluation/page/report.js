/* The class filter and the enlarged pictures; the page is readable without either. */
"use strict";

const FIRST_SHOWN = 8;
const gallery = document.getElementById("gallery");
const filter = document.getElementById("class-filter");
const viewer = document.getElementById("viewer");
const samples = gallery ? [...gallery.children] : [];
let showAll = false;

/* ---- The gallery: which samples, in which order, with whose errors ---- */

function chosenClass() {
  const wanted = new URLSearchParams(location.hash.slice(1)).get("class");
  const option = [...filter.options].find((each) => wanted !== null && each.value === wanted);
  return option || filter.options[0];
}

function scoreOf(sample, classId) {
  return classId < 0
    ? parseFloat(sample.dataset.mean)
    : parseFloat(sample.dataset.dice.split(" ")[classId]);
}

function worstFirst(classId) {
  const rank = (sample) => {
    const score = scoreOf(sample, classId);
    return Number.isNaN(score) ? Infinity : score;
  };
  // Equal ranks keep the order of the page: Infinity - Infinity would not compare.
  return [...samples].sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
}

function showGallery() {
  const option = chosenClass();
  const classId = Number(option.dataset.id);
  filter.value = option.value;
  const ordered = worstFirst(classId);
  const involved = ordered.filter((each) => classId < 0 || !Number.isNaN(scoreOf(each, classId)));
  gallery.append(...ordered);
  // Where there is one class to find, its errors are those of all, and drawn once.
  const errorsOf = filter.options.length > 2 ? classId : -1;
  for (const sample of ordered) {
    const place = involved.indexOf(sample);
    sample.hidden = place < 0 || (!showAll && place >= FIRST_SHOWN);
    for (const score of sample.querySelectorAll(".part-score")) {
      score.classList.toggle("chosen", Number(score.dataset.class) === classId);
    }
    for (const layer of sample.querySelectorAll(".layer[data-class]")) {
      layer.hidden = Number(layer.dataset.class) !== errorsOf;
    }
  }
  const share = `${involved.length} of ${samples.length} pictures`;
  document.getElementById("filter-says").textContent =
    classId < 0 ? "" : `${share}: those with ${option.value} in mask or prediction.`;
  const more = document.getElementById("show-more");
  more.textContent = `Show all ${involved.length} images`;
  more.hidden = showAll || involved.length <= FIRST_SHOWN;
}

function chooseClass(name) {
  history.replaceState(null, "", name ? `#${new URLSearchParams({ class: name })}` : "#images");
  showGallery();
}

function followLink() {
  const target = document.getElementById(location.hash.slice(1));
  if (target && samples.includes(target)) {
    showAll = true;
    showGallery();
    target.scrollIntoView({ block: "center" });
  } else {
    showGallery();
  }
}

/* ---- The viewer: one picture as large as the screen allows ---- */

let viewed = null;
let view = "errors";

function showPicture() {
  const score = viewed.querySelector(".sample-score");
  document.getElementById("viewer-name").textContent = viewed.querySelector("h3").textContent;
  document.getElementById("viewer-score").replaceChildren(...score.cloneNode(true).childNodes);
  const stage = document.getElementById("viewer-stage");
  stage.style.cssText = viewed.style.cssText;
  stage.replaceChildren(viewed.querySelector(`.picture.${view}`).cloneNode(true));
  for (const button of viewer.querySelectorAll(".views button")) {
    button.setAttribute("aria-pressed", String(button.dataset.view === view));
  }
}

function turn(step) {
  const shown = [...gallery.children].filter((each) => !each.hidden);
  const place = (shown.indexOf(viewed) + step + shown.length) % shown.length;
  viewed = shown[place];
  showPicture();
}

function choosePictureByKey(event) {
  const views = ["image", "truth", "prediction", "errors"];
  if (event.key === "ArrowLeft") turn(-1);
  else if (event.key === "ArrowRight") turn(1);
  else if (views[Number(event.key) - 1]) {
    view = views[Number(event.key) - 1];
    showPicture();
  } else return;
  event.preventDefault();
}

if (gallery) {
  filter.addEventListener("change", () => chooseClass(filter.value));
  document.getElementById("show-more").addEventListener("click", () => {
    showAll = true;
    showGallery();
  });
  gallery.addEventListener("click", (event) => {
    const panel = event.target.closest(".panel");
    if (!panel) return;
    viewed = panel.closest(".sample");
    view = panel.dataset.view;
    showPicture();
    viewer.showModal();
  });
  viewer.addEventListener("keydown", choosePictureByKey);
  viewer.addEventListener("click", (event) => {
    const button = event.target.closest(".views button");
    if (button) {
      view = button.dataset.view;
      showPicture();
    } else if (event.target === viewer) viewer.close(); // a click beside it
  });
  document.getElementById("viewer-previous").addEventListener("click", () => turn(-1));
  document.getElementById("viewer-next").addEventListener("click", () => turn(1));
  document.getElementById("viewer-close").addEventListener("click", () => viewer.close());
  window.addEventListener("hashchange", followLink);
  followLink();
}
