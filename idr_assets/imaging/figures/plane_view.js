// How the pictures of a page of planes are looked at: contrast, zoom and pan, which stay from plane to plane.
const view = { scale: 1, x: 0, y: 0 }; // the corner is a share of the picture
const STEP = 1.5;
const pictures = [...document.querySelectorAll(".view")];

function zoomTo(scale, across = 0.5, down = 0.5) {
  const zoom = byId("zoom");
  const wanted = Math.min(Number(zoom.max), Math.max(1, scale));
  view.x += across / view.scale - across / wanted; // what lies there stays there
  view.y += down / view.scale - down / wanted;
  view.scale = wanted;
  zoom.value = wanted;
  byId("times").textContent = `${Number(wanted.toPrecision(2))} ×`;
  move(0, 0);
}

function move(across, down) {
  const last = 1 - 1 / view.scale;
  view.x = Math.min(last, Math.max(0, view.x + across / view.scale));
  view.y = Math.min(last, Math.max(0, view.y + down / view.scale));
  for (const { firstElementChild: canvas } of pictures) {
    canvas.style.transform = `scale(${view.scale}) translate(${-100 * view.x}%, ${-100 * view.y}%)`;
  }
  if (scale) measure();
  drawTiles();
}

function measure() { // as `round_length` does
  const fifth = scale.width / view.scale / 5;
  const power = 10 ** Math.floor(Math.log10(fifth));
  const away = (step) => Math.abs(Math.log((step * power) / fifth));
  const length = power * [1, 2, 5, 10].reduce((best, step) => (away(step) < away(best) ? step : best));
  const bar = document.querySelector(".scale");
  bar.style.width = `${(100 * length * view.scale) / scale.width}%`;
  bar.textContent = `${Number(length.toPrecision(6))} µm`;
}

function stretched(data) { // greys of a picture, between the chosen black and white
  const [black, white] = [Number(byId("black").value), Number(byId("white").value)];
  if (black === 0 && white === 255) return data;
  const shades = new Uint8ClampedArray(256).map((_, grey) => (255 * (grey - black)) / Math.max(1, white - black));
  for (let i = 0; i < data.data.length; i++) if (i % 4 !== 3) data.data[i] = shades[data.data[i]];
  return data;
}

function describeRange([darkest, brightest]) {
  const [black, white] = ["black", "white"].map((id) => darkest + (byId(id).value / 255) * (brightest - darkest));
  return `${Number(black.toPrecision(6))} to ${Number(white.toPrecision(6))} a.u.`;
}

function reset() {
  byId("black").value = 0;
  byId("white").value = 255;
  zoomTo(1);
}

const looks = {
  "+": () => zoomTo(view.scale * STEP), "=": () => zoomTo(view.scale * STEP), "-": () => zoomTo(view.scale / STEP),
  "1": () => zoomTo(full[1] / dots(0)),
  "0": () => { reset(); show(current); },
};
const pans = {
  ArrowLeft: () => move(-0.2, 0), ArrowRight: () => move(0.2, 0), ArrowUp: () => move(0, -0.2), ArrowDown: () => move(0, 0.2),
};

for (const picture of pictures) {
  const at = (event) => {
    const box = picture.getBoundingClientRect();
    return [(event.clientX - box.x) / box.width, (event.clientY - box.y) / box.height];
  };
  picture.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return; // the page scrolls
    event.preventDefault();
    zoomTo(view.scale * STEP ** -Math.sign(event.deltaY), ...at(event));
  }, { passive: false });
  picture.addEventListener("dblclick", (event) => zoomTo(view.scale * 2, ...at(event)));
  picture.addEventListener("pointerdown", (event) => picture.setPointerCapture(event.pointerId));
  picture.addEventListener("pointermove", (event) => {
    if (picture.hasPointerCapture(event.pointerId)) {
      move(-event.movementX / picture.clientWidth, -event.movementY / picture.clientHeight);
    }
  });
}
byId("zoom").addEventListener("input", ({ target }) => zoomTo(Number(target.value)));
for (const id of ["black", "white"]) byId(id).addEventListener("input", () => show(current));
byId("reset").addEventListener("click", looks["0"]);
