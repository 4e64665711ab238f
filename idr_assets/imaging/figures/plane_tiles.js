// Large planes: where pictures are enlarged, tiles of the level that the zoom asks for are drawn over them.
const details = pictures.map((picture) => picture.querySelector(".detail"));
const MOST_DECODED = 60; // tiles, of 4 MB each
const decoded = new Map();
let turn = 0;

function dots(axis) { // of the screen, across or down a picture
  return Math.round([pictures[0].clientWidth, pictures[0].clientHeight][axis] * devicePixelRatio);
}

function decode(level, kind, number) {
  const key = [current, level.step, kind, number].join();
  const tile = decoded.get(key) ?? picture(level[kind][number], "webp");
  decoded.delete(key);
  decoded.set(key, tile); // as the one used last
  if (decoded.size > MOST_DECODED) decoded.delete(decoded.keys().next().value);
  return tile;
}

function chooseLevel(seen) { // the coarsest that has a pixel for each dot
  const levels = planes[current].tiles ?? [];
  return full[1] / width <= seen ? undefined : levels.findLast(({ step }) => step <= seen) ?? levels[0];
}

async function paint(context, level, kind, seen) {
  const reach = level.step * side;
  const place = (index, corner) => Math.round((index * reach - corner) / seen);
  const [left, top] = [view.x * full[1], view.y * full[0]];
  const within = (corner, length, most) => {
    const first = Math.floor(corner / reach), last = Math.min(Math.ceil(most / reach), Math.ceil((corner + length * seen) / reach));
    return Array.from({ length: last - first }, (_, at) => first + at);
  };
  const { width: across, height: down } = context.canvas;
  const shown = within(top, down, full[0]).flatMap((row) => within(left, across, full[1]).map((column) => [row, column]));
  const tiles = await Promise.all(shown.map(([row, column]) => decode(level, kind, row * level.columns + column)));
  return () => tiles.forEach((tile, at) => {
    const [row, column] = shown[at];
    const [x, y] = [place(column, left), place(row, top)];
    const right = place(column + tile.width / side, left), bottom = place(row + tile.height / side, top);
    context.drawImage(tile, x, y, right - x, bottom - y);
  });
}

async function drawTiles() {
  const asked = ++turn;
  const seen = full[1] / view.scale / Math.max(1, dots(0)); // pixels of the plane in a dot
  const level = chooseLevel(seen);
  if (!level) return details.forEach((detail) => { detail.hidden = true; });
  const [pixels, labels] = ["pixels", "labels"].map(() => new OffscreenCanvas(dots(0), dots(1)).getContext("2d"));
  labels.imageSmoothingEnabled = pixels.imageSmoothingEnabled = false;
  const painted = await Promise.all([paint(pixels, level, "pixels", seen), paint(labels, level, "labels", seen)]);
  if (asked !== turn) return;
  painted.forEach((draw) => draw());
  const [grey, above] = [pixels, labels].map((context) => context.getImageData(0, 0, dots(0), dots(1)));
  const greys = stretched(grey);
  [greys, above, mix(new ImageData(greys.data.slice(), greys.width), above)].forEach((data, at) => {
    details[at].width = data.width;
    details[at].height = data.height;
    details[at].hidden = false;
    details[at].getContext("2d").putImageData(data, 0, 0);
  });
}

addEventListener("resize", drawTiles);
