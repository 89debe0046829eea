// The parts of the page that Gradio has not: a before/after viewer that the keyboard moves and in which a part of the
// photo is marked, and an editor of kernels. The server speaks to them by adding <unblur-show> to the page.
"use strict";

const find = (id) => document.querySelector(`#${id} textarea, #${id} input`);

const wanted = new Map(); // what each text box is to say; the latest counts

// Gradio's text boxes take what is typed into them. One that has just appeared is emptied once more, so look for a while.
const say = async (id, text) => {
  wanted.set(id, text);
  // What a closed accordion holds is not in the page yet; open, it also shows the reader what was filled in.
  if (!find(id)) document.querySelector("#more button").click();
  for (let seen = 0; seen < 5; ) {
    const box = find(id);
    if (box?.value === wanted.get(id)) seen += 1;
    else if (box) {
      box.value = wanted.get(id);
      box.dispatchEvent(new Event("input", { bubbles: true }));
      seen = 0;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
};

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

const limit = (value, low, high) => Math.min(high, Math.max(low, value));

class Viewer extends HTMLElement {
  connectedCallback() {
    if (this.stage) return;
    this.scale = 1;
    this.pan = [0, 0];
    this.marking = "";
    this.fingers = new Map();
    this.before = make("img", { alt: "", draggable: false });
    this.after = make("img", { alt: "", draggable: false });
    this.mark = make("div", { className: "mark", hidden: true });
    this.line = make("div", { className: "line" });
    this.labels = [make("span", { className: "left" }), make("span", { className: "right" })];
    this.empty = make("p", { textContent: "The photo appears here." });
    this.pane = make("div", { className: "pane" }, this.before, this.after, this.mark);
    this.stage = make("div", { className: "stage", tabIndex: 0 }, this.pane, this.line, ...this.labels, this.empty);
    this.stage.setAttribute("role", "group");
    this.stage.setAttribute("aria-label", "Photo; plus and minus zoom, 0 shows all of it, arrow keys move it");
    this.range = make("input", { type: "range", min: 0, max: 100, step: 0.5, value: 50, className: "divider" });
    this.range.setAttribute("aria-label", "Where before ends and after begins");
    this.range.oninput = () => this.draw();
    this.tools = make("div", { className: "tools" }, ...this.zoomButtons(), ...this.markButtons());
    this.append(this.tools, this.stage, this.range);
    this.listen();
    this.draw();
  }

  zoomButtons() {
    const button = (text, act) => make("button", { type: "button", textContent: text, onclick: act });
    return [
      button("Zoom out", () => this.zoom(1 / 1.5)),
      button("Zoom in", () => this.zoom(1.5)),
      button("Fit", () => this.zoom(0)),
    ];
  }

  markButtons() {
    // data-marks: "id of a text box=what its part of the photo is for", one a line
    return this.dataset.marks.split("\n").map((line) => {
      const [target, text] = line.split("=");
      const made = make("button", { type: "button", textContent: text, className: "marker" });
      made.setAttribute("aria-pressed", "false");
      made.onclick = () => this.markFor(this.marking === target ? "" : target);
      made.dataset.target = target;
      return made;
    });
  }

  markFor(target) {
    this.marking = target;
    for (const button of this.tools.querySelectorAll(".marker")) {
      button.setAttribute("aria-pressed", String(button.dataset.target === target));
    }
    this.stage.classList.toggle("marking", target !== "");
  }

  // {before, after: addresses or null; left, right: what they show; width, height: pixels of the photo itself}
  async show(what) {
    const isNew = what.before !== this.shown?.before;
    this.shown = what;
    const images = [what.before, what.after].filter(Boolean).map((address) => make("img", { src: address }));
    await Promise.allSettled(images.map((image) => image.decode()));
    if (this.shown !== what) return;
    this.before.src = what.before;
    this.before.alt = what.left;
    this.after.hidden = !what.after;
    if (what.after) this.after.src = what.after;
    this.after.alt = what.right ?? "";
    this.labels[0].textContent = what.left;
    this.labels[1].textContent = what.right ?? "";
    this.stage.style.aspectRatio = `${what.width} / ${what.height}`;
    this.stage.style.width = this.range.style.width = `min(100%, ${(75 * what.width) / what.height}vh)`;
    this.empty.hidden = true;
    if (isNew) {
      this.mark.hidden = true;
      this.zoom(0);
    }
    this.classList.toggle("loaded", true);
    this.draw();
  }

  draw() {
    const [x, y] = this.pan;
    const hasBoth = Boolean(this.shown?.after);
    const width = this.stage.clientWidth;
    const edge = (width * this.range.value) / 100;
    this.pane.style.transform = `translate(${x}px, ${y}px) scale(${this.scale})`;
    this.after.style.clipPath = `inset(0 0 0 ${limit((edge - x) / this.scale, 0, width)}px)`;
    this.line.style.left = `${edge}px`;
    this.line.hidden = this.range.hidden = !hasBoth;
    this.labels[1].hidden = !hasBoth;
  }

  // Zoom by a factor about a point of the stage, its middle by default; 0: show all.
  zoom(factor, at = [this.stage.clientWidth / 2, this.stage.clientHeight / 2]) {
    const scale = factor ? limit(this.scale * factor, 1, 16) : 1;
    this.pan = this.pan.map((value, axis) => at[axis] - ((at[axis] - value) * scale) / this.scale);
    this.scale = scale;
    this.move(0, 0);
  }

  move(right, down) {
    const size = [this.stage.clientWidth, this.stage.clientHeight];
    const shift = [right, down];
    this.pan = this.pan.map((value, axis) => limit(value + shift[axis], size[axis] * (1 - this.scale), 0));
    this.draw();
  }

  listen() {
    this.stage.onkeydown = (event) => {
      const steps = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] };
      const zooms = { "+": 1.5, "=": 1.5, "-": 1 / 1.5, 0: 0 };
      if (event.key in steps && this.scale > 1) this.move(...steps[event.key]);
      else if (event.key in zooms) this.zoom(zooms[event.key]);
      else return;
      event.preventDefault();
    };
    this.stage.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && this.scale === 1 && event.deltaY > 0) return; // the page scrolls on
        event.preventDefault();
        this.zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, this.at(event));
      },
      { passive: false },
    );
    this.stage.onpointerdown = (event) => this.press(event);
    this.stage.onpointermove = (event) => this.drag(event);
    this.stage.onpointerup = this.stage.onpointercancel = (event) => this.release(event);
    new ResizeObserver(() => this.move(0, 0)).observe(this.stage);
  }

  at(event) {
    const box = this.stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  press(event) {
    this.stage.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, this.at(event));
    this.start = this.at(event);
    if (this.marking) return;
    const edge = (this.stage.clientWidth * this.range.value) / 100;
    this.divides = this.shown?.after && (this.scale === 1 || Math.abs(this.start[0] - edge) < 24);
    this.drag(event);
  }

  drag(event) {
    const last = this.fingers.get(event.pointerId);
    if (!last || !this.shown) return;
    const now = this.at(event);
    const others = [...this.fingers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    this.fingers.set(event.pointerId, now);
    if (others.length) {
      const apart = ([x, y]) => Math.hypot(x - others[0][0], y - others[0][1]);
      this.zoom(apart(now) / Math.max(1, apart(last)), now);
    } else if (this.marking) this.markBetween(this.start, now);
    else if (this.divides) {
      this.range.value = (100 * now[0]) / this.stage.clientWidth;
      this.draw();
    } else this.move(now[0] - last[0], now[1] - last[1]);
  }

  release(event) {
    if (this.fingers.delete(event.pointerId) && this.marking && this.marked) {
      say(this.marking, this.marked.join(","));
      this.marked = null;
      this.markFor("");
    }
  }

  // Mark the rectangle between two points of the stage, in whole pixels of the photo.
  markBetween(one, other) {
    const size = [this.stage.clientWidth, this.stage.clientHeight];
    const whole = [this.shown.width, this.shown.height];
    const share = (point, axis) => limit((point[axis] - this.pan[axis]) / this.scale / size[axis], 0, 1);
    const ends = [0, 1].map((axis) => [share(one, axis), share(other, axis)].sort((a, b) => a - b));
    const pixels = ends.map(([low, high], axis) => [Math.floor(low * whole[axis]), Math.ceil(high * whole[axis])]);
    this.marked = [...pixels.map(([low]) => low), ...pixels.map(([low, high]) => Math.max(1, high - low))];
    this.showMark(ends);
  }

  showMark([[left, right], [top, bottom]]) {
    this.mark.hidden = false;
    Object.assign(this.mark.style, {
      left: `${100 * left}%`,
      top: `${100 * top}%`,
      width: `${100 * (right - left)}%`,
      height: `${100 * (bottom - top)}%`,
    });
  }
}

class KernelEditor extends HTMLElement {
  connectedCallback() {
    if (this.canvas) return;
    this.cells = [[0]];
    this.value = 1; // share of the largest value that painting gives; 0 erases
    this.cursor = [0, 0];
    this.canvas = make("canvas", { tabIndex: 0 });
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute(
      "aria-label",
      "Kernel; arrow keys move to a pixel, Enter paints it, Delete clears it, or draw with the pointer",
    );
    this.canvas.onpointerdown = this.canvas.onpointermove = (event) => this.paintAt(event);
    this.canvas.onkeydown = (event) => this.key(event);
    this.canvas.onfocus = this.canvas.onblur = () => this.draw();
    this.append(this.canvas);
    if (this.dataset.cells) this.show({ cells: JSON.parse(this.dataset.cells) });
  }

  show({ cells }) {
    this.cells = cells;
    this.top = Math.max(...cells.flat()) || 1;
    this.cursor = [cells.length >> 1, cells[0].length >> 1];
    this.draw();
    this.tell();
  }

  draw() {
    const [rows, columns] = [this.cells.length, this.cells[0].length];
    const side = Math.max(2, Math.floor(384 / Math.max(rows, columns)));
    Object.assign(this.canvas, { width: columns * side, height: rows * side });
    const pen = this.canvas.getContext("2d");
    this.cells.forEach((line, row) =>
      line.forEach((cell, column) => {
        const level = Math.round(255 * Math.sqrt(limit(cell / this.top, 0, 1))); // faint values can be seen
        pen.fillStyle = `rgb(${level} ${level} ${level})`;
        pen.fillRect(column * side, row * side, side, side);
      }),
    );
    if (document.activeElement === this.canvas) {
      pen.strokeStyle = "#f59e0b";
      pen.lineWidth = 2;
      pen.strokeRect(this.cursor[1] * side + 1, this.cursor[0] * side + 1, side - 2, side - 2);
    }
  }

  paintAt(event) {
    if (!event.buttons) return;
    const box = this.canvas.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * this.cells.length);
    const column = Math.floor(((event.clientX - box.left) / box.width) * this.cells[0].length);
    if (event.type === "pointerdown") this.canvas.setPointerCapture(event.pointerId);
    this.set(row, column, this.isErasing() ? 0 : 1);
  }

  isErasing() {
    return document.querySelector("#kernel-tool input:checked")?.value === "Erase";
  }

  key(event) {
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const step = steps[event.key];
    if (step) {
      const sizes = [this.cells.length, this.cells[0].length];
      this.cursor = this.cursor.map((value, axis) => limit(value + step[axis], 0, sizes[axis] - 1));
      this.draw();
    } else if (event.key === "Enter" || event.key === " ") this.set(...this.cursor, this.isErasing() ? 0 : 1);
    else if (event.key === "Delete" || event.key === "Backspace") this.set(...this.cursor, 0);
    else return;
    event.preventDefault();
  }

  set(row, column, share) {
    if (this.cells[row]?.[column] === undefined) return;
    this.cells[row][column] = share * this.top;
    this.cursor = [row, column];
    this.draw();
    this.tell();
  }

  tell() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => say("kernel-cells", JSON.stringify(this.cells)), 50);
  }
}

// What the server wants shown: <unblur-show data-in="unblur-viewer" data-what="JSON">.
// Gradio changes the element that is there where it can, instead of adding another one.
class Show extends HTMLElement {
  static observedAttributes = ["data-what"];

  attributeChangedCallback() {
    if (this.isConnected) this.connectedCallback();
  }

  connectedCallback() {
    document.querySelector(this.dataset.in)?.show(JSON.parse(this.dataset.what));
  }
}

customElements.define("unblur-viewer", Viewer);
customElements.define("unblur-kernel", KernelEditor);
customElements.define("unblur-show", Show);

// Gradio names its upload button otherwise than the button itself reads, which speech input cannot follow.
new MutationObserver(() => {
  for (const button of document.querySelectorAll("button[aria-dropeffect][aria-label]")) {
    button.removeAttribute("aria-label");
  }
}).observe(document, { childList: true, subtree: true });
