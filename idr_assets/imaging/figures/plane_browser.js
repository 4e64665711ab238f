// How the page of plane_browser.html behaves: which plane it shows, and how labels lie on pixels.
"use strict";
const byId = (id) => document.getElementById(id);
const { planes, shape: [height, width], full, side, axis: rowAxis, scale } = JSON.parse(byId("data").textContent);
const finer = Math.max(1, Math.floor(600 / Math.max(height, width))); // outlines are finer than pixels
const FILL = 0.4;
let current = 0;

async function picture(data, type = "png") {
  const image = new Image();
  image.src = `data:image/${type};base64,${data}`;
  await image.decode();
  return image;
}

function draw(canvas, image, factor) {
  canvas.width = width * factor;
  canvas.height = height * factor;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingEnabled = false;
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return context;
}

function colours(canvas, image) {
  return draw(canvas, image, finer).getImageData(0, 0, canvas.width, canvas.height);
}

function drawOverlay(canvas, pixels, labels) {
  const above = colours(canvas, labels);
  const below = stretched(colours(canvas, pixels));
  canvas.getContext("2d").putImageData(mix(below, above), 0, 0);
}

function mix(below, above) { // colours over greys, with opaque outlines
  const { width: across, height: down } = below;
  const label = new Uint32Array(above.data.buffer);
  const background = new Uint32Array(new Uint8Array([0, 0, 0, 255]).buffer)[0];
  for (let y = 0, i = 0; y < down; y++) {
    for (let x = 0; x < across; x++, i++) {
      if (label[i] === background) continue;
      const ends = (x > 0 && label[i - 1] !== label[i]) || (x < across - 1 && label[i + 1] !== label[i]) ||
        (y > 0 && label[i - across] !== label[i]) || (y < down - 1 && label[i + across] !== label[i]);
      const opacity = ends ? 1 : FILL;
      for (let k = 4 * i; k < 4 * i + 3; k++) below.data[k] += opacity * (above.data[k] - below.data[k]);
    }
  }
  return below;
}

async function show(index) {
  current = index;
  const plane = planes[index];
  const objects = `${plane.objects} object${plane.objects === 1 ? "" : "s"}`;
  byId("slider").value = index;
  byId("slider").setAttribute("aria-valuetext", `${plane.name}, ${objects}`);
  byId("name").textContent = `${plane.name} · ${objects}`;
  byId("range").textContent = describeRange(plane.range);
  byId("objects").textContent = objects;
  byId("nearest").hidden = true;
  if (byId("channel")) byId("channel").value = plane.c;
  if (byId("row")) byId("row").value = plane.row;
  const [pixels, labels] = await Promise.all([picture(plane.pixels), picture(plane.labels)]);
  if (index !== current) return;
  const grey = draw(byId("pixels"), pixels, 1);
  grey.putImageData(stretched(grey.getImageData(0, 0, width, height)), 0, 0);
  draw(byId("labels"), labels, 1);
  drawOverlay(byId("overlay"), pixels, labels);
  for (const id of ["pixels", "labels", "overlay"]) byId(id).setAttribute("aria-label", `${id} of ${plane.name}`);
  await drawTiles();
  if (index !== current) return;
  document.body.dataset.drawn = plane.name;
  writeAddress(plane);
}

function writeAddress(plane) {
  try {
    history.replaceState(null, "", `#${rowAxis}=${plane.row}&c=${plane.c}&z=${plane.z}`);
  } catch { /* a page within another one may have no address, and browsers bound how often it changes */ }
}

function nearest(wanted, among = planes) {
  const away = (plane) => ["c", "t", "z"].map((axis) => Math.abs(plane[axis] - wanted[axis]));
  const order = (a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
  return among.reduce((best, plane) => (order(away(plane), away(best)) < 0 ? plane : best));
}

function stepTime(direction) {
  const here = planes[current];
  const there = planes.filter((plane) => plane.c === here.c && direction * (plane.t - here.t) > 0);
  if (there.length) show(planes.indexOf(nearest(here, there)));
}

function openAddress() {
  const address = location.hash; // which `show` writes anew
  const asked = new URLSearchParams(address.slice(1));
  if (rowAxis !== "t" && asked.has(rowAxis)) {
    asked.set("t", planes.find((plane) => plane.row === asked.get(rowAxis))?.t ?? "");
  }
  const axis = (name) => (/^\d+$/.test(asked.get(name)) ? Number(asked.get(name)) : planes[current][name]);
  const found = nearest({ t: axis("t"), c: axis("c"), z: axis("z") });
  show(planes.indexOf(found));
  const exact = ["t", "c", "z"].every((name) => !asked.has(name) || Number(asked.get(name) || NaN) === found[name]);
  byId("nearest").hidden = exact;
  byId("nearest").textContent = exact ? "" : `${address} names no plane of this page; the nearest one is shown.`;
}

const steps = {
  ArrowLeft: () => current > 0 && show(current - 1),
  ArrowRight: () => current < planes.length - 1 && show(current + 1),
  ArrowUp: () => stepTime(-1),
  ArrowDown: () => stepTime(1),
};
document.addEventListener("keydown", (event) => {
  const own = event.target.tagName === "SELECT" || (event.target.type === "range" && event.target.id !== "slider");
  const does = looks[event.key] ?? (own ? null : (event.shiftKey ? pans : steps)[event.key]);
  if (!does || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  does();
});
byId("slider").addEventListener("input", (event) => show(Number(event.target.value)));
byId("channel")?.addEventListener("change", (event) =>
  show(planes.indexOf(nearest({ ...planes[current], c: Number(event.target.value) }))));
byId("row")?.addEventListener("change", (event) =>
  show(planes.indexOf(nearest({ ...planes[current], t: planes.find((plane) => plane.row === event.target.value).t }))));
addEventListener("hashchange", openAddress);
