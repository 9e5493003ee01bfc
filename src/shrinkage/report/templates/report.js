(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const settings = read("settings");
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const button = document.getElementById("theme");
  const views = new Map();
  let models = (id) => null;
  let mode = dark.matches ? "dark" : "light";

  // ---- theme: CSS variables for the page, roles for the figures

  function paint(mode) {
    const roles = settings.roles[mode];
    for (const { model, property, role } of settings.paints) {
      const found = models(model);
      if (found) found[property] = roles[role];
    }
  }

  function show(next) {
    mode = next;
    root.dataset.theme = mode;
    button.setAttribute("aria-pressed", String(mode === "dark"));
    button.querySelector(".word").textContent = mode === "dark" ? "Light" : "Dark";
    paint(mode);
  }

  button.addEventListener("click", () => show(mode === "dark" ? "light" : "dark"));
  dark.addEventListener("change", (event) => show(event.matches ? "dark" : "light"));

  // ---- tabs: arrow keys move, as in any tab list

  for (const list of document.querySelectorAll("[role=tablist]")) {
    const tabs = [...list.querySelectorAll("[role=tab]")];
    const open = (chosen) => {
      for (const tab of tabs) {
        const on = tab === chosen;
        tab.setAttribute("aria-selected", String(on));
        tab.tabIndex = on ? 0 : -1;
        document.getElementById(tab.getAttribute("aria-controls")).toggleAttribute("data-closed", !on);
      }
    };
    for (const [i, tab] of tabs.entries()) {
      tab.addEventListener("click", () => open(tab));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        const to = event.key === "Home" ? 0 : event.key === "End" ? tabs.length - 1 : step && (i + step + tabs.length) % tabs.length;
        if (to === undefined) return;
        event.preventDefault();
        open(tabs[to]);
        tabs[to].focus();
      });
    }
  }

  // ---- copy

  for (const copy of document.querySelectorAll("[data-copy]")) {
    copy.addEventListener("click", async () => {
      const code = document.getElementById(copy.dataset.copy);
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {
        const range = document.createRange();
        range.selectNodeContents(code);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        document.execCommand("copy");
      }
      copy.textContent = "Copied";
      setTimeout(() => (copy.textContent = "Copy"), 1500);
    });
  }

  // ---- the slider over λ: surface, contour and density change together

  function startSlider(find) {
    const about = settings.slider;
    const input = document.getElementById("lambda");
    if (!about || !input) return;
    const store = find("all-surfaces").data;
    const densities = find("all-densities").data;

    function move() {
      const i = Number(input.value);
      const frame = about.frames[i];
      if (about.oneInput) {
        find("moved-line").data = { x: find("moved-line").data.x, y: store.line[i] };
      }
      const surface = find("moved-surface");
      if (surface) surface.data = { codes: [store.codes[i]] };
      if (!about.oneInput) {
        find("moved-contour").data = { x: store.contour_x[i], y: store.contour_y[i] };
      }
      const moved = find("moved-density");
      moved.data = { x: moved.data.x, density: densities.density[i] };
      input.setAttribute("aria-valuetext", `${frame.label}, ${frame.zerosText} of the ${about.weights} exactly zero`);
      document.getElementById("lambda-label").textContent = frame.label;
      document.getElementById("moving-name").textContent = frame.label;
      document.getElementById("zeros-text").textContent = frame.zerosText;
      document.querySelectorAll(".ticks i").forEach((tick, j) => tick.classList.toggle("here", j === i));
    }
    input.addEventListener("input", move);
    move();
  }

  // ---- surfaces: what a code stands for, and what is under the pointer

  function answer(about, code, digits = 3) {
    if (about.task === "binary") return [[`probability of ${about.classes[1]}`, short(code / 255, digits)]];
    if (about.task === "regression") {
      const [low, high] = about.values;
      return [[about.target, short(low + ((high - low) * code) / 255, digits)]];
    }
    const count = about.classes.length;
    const level = (code % about.levels) / (about.levels - 1);
    return [["class", about.classes[Math.floor(code / about.levels)]], ["probability", short(1 / count + (1 - 1 / count) * level, digits)]];
  }

  function short(value, digits = 3) {
    return Number(value.toPrecision(digits)).toString();
  }

  function surfaceHover() {
    const rows = (pairs) => {
      const table = document.createElement("div");
      for (const [name, value] of pairs) {
        const row = table.appendChild(document.createElement("div"));
        row.style.cssText = "display:flex;justify-content:space-between;gap:14px;overflow-wrap:anywhere";
        const key = row.appendChild(document.createElement("span"));
        key.style.opacity = ".72";
        key.textContent = name;
        const shown = row.appendChild(document.createElement("span"));
        shown.style.cssText = "flex:none;max-width:60%;text-align:right";
        shown.textContent = value;
      }
      return table;
    };
    const near = (value, [first, last, count]) =>
      Math.max(0, Math.min(count - 1, Math.round(((value - first) / (last - first)) * (count - 1))));
    for (const [name, { grid }] of Object.entries(settings.tables)) {
      const tool = grid && models(settings.plots[name]).toolbar.tools.find((tool) => tool.name === "surface-hover");
      if (!tool) continue;
      tool.tooltips = (source, { x, y }) => {
        const codes = models(grid.source).data.codes[0];
        const code = codes[near(y, grid.y) * grid.x[2] + near(x, grid.x)];
        return rows([...answer(grid, code), [settings.axes[name][0], short(x)], [settings.axes[name][1], short(y)]]);
      };
    }
  }

  // ---- the keyboard's pointer: arrow keys move it over a figure, and what it shows is said aloud

  function keyboardPointer() {
    const said = document.body.appendChild(document.createElement("p"));
    said.className = "sr";
    said.setAttribute("role", "status");
    for (const place of document.querySelectorAll("[data-plot]")) {
      const view = views.get(place.dataset.plot);
      const area = view.canvas_view.events_el;
      area.tabIndex = -1; // its place has a name, and takes the focus instead
      place.tabIndex = 0;
      const at = { x: 0.5, y: 0.5 };
      const send = (kind) => {
        const box = area.getBoundingClientRect();
        const frame = view.frame.bbox;
        const clientX = box.left + frame.left + at.x * frame.width;
        const clientY = box.top + frame.top + at.y * frame.height;
        area.dispatchEvent(new PointerEvent(kind, { view: window, isPrimary: true, pointerType: "mouse", clientX, clientY }));
      };
      const announce = () => {
        const tips = [...document.querySelectorAll(".bk-Tooltip")].map((one) => one.shadowRoot.querySelector(".bk-tooltip-content"));
        said.textContent = tips.map((tip) => tip?.innerText.replace(/\s+/g, " ").trim() ?? "").join("; ");
      };
      place.addEventListener("keydown", (event) => {
        if (event.key === "Escape") return send("pointerout");
        const step = event.shiftKey ? 0.1 : 0.02;
        const [dx, dy] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
        if (!dx && !dy) return;
        event.preventDefault();
        at.x = Math.max(0, Math.min(1, at.x + dx * step));
        at.y = Math.max(0, Math.min(1, at.y + dy * step));
        send("pointermove");
        setTimeout(announce, 100);
      });
      place.addEventListener("blur", () => send("pointerout"));
    }
  }

  // What is made for other places is light: a figure in a text, a page of paper.
  function inLight(work) {
    root.dataset.theme = "light";
    paint("light");
    try {
      return work();
    } finally {
      root.dataset.theme = mode;
      paint(mode);
    }
  }

  // A plot in its present colours. Bokeh takes new ones in later, a printer does not wait.
  function exported(view, kind) {
    for (const renderer of view.model.renderers) {
      const part = view.owner.find_one(renderer);
      part?.glyph?.set_visuals(part.model.data_source, part.all_indices);
    }
    view.paint();
    return view.export(kind).canvas;
  }

  // ---- paper: every panel, in light colours, as pictures that fit the page

  function toPaper() {
    paint("light");
    for (const place of document.querySelectorAll("[data-plot]")) {
      const view = views.get(place.dataset.plot);
      if (!view) continue;
      let picture = place.querySelector("img.paper");
      if (!picture) {
        picture = document.createElement("img");
        picture.className = "paper";
        picture.alt = "";
        place.append(picture);
      }
      picture.src = exported(view, "png").toDataURL("image/png");
    }
  }
  addEventListener("beforeprint", toPaper);
  addEventListener("afterprint", () => paint(mode));

  // ---- start: figures one after the other, what is in view first, so that the page answers meanwhile

  const far = (element) => {
    const box = element.getBoundingClientRect();
    const away = Math.max(box.top - innerHeight, -box.bottom, 0);
    return element.closest("[data-closed]") ? away + 1e6 : away;
  };
  const pause = () => new Promise((resolve) => setTimeout(resolve));

  async function draw(json, places) {
    const { Document } = Bokeh.require("document");
    const drawing = Document.from_json(json);
    const known = [...drawing.all_models];
    const byId = new Map(known.map((model) => [model.id, model]));
    models = (id) => byId.get(id);
    paint(mode);
    startSlider((name) => known.find((model) => model.name === name));
    surfaceHover();
    const waiting = drawing.roots().map((plot) => [document.getElementById(places[plot.id]), plot]);
    // Roots are taken out and put back one by one; meanwhile Bokeh need not collect all models anew.
    drawing._push_all_models_freeze();
    for (const [element, plot] of waiting) {
      element.style.minHeight = `${plot.height}px`;
      drawing.remove_root(plot);
    }
    const elements = [];
    await Bokeh.embed.add_document_standalone(drawing, document.body, elements);
    waiting.sort(([one], [other]) => far(one) - far(other));
    for (const [element, plot] of waiting) {
      elements.push(element);
      drawing.add_root(plot);
      do await pause(); while (!Bokeh.index.get_by_id(plot.id));
      element.parentElement.dataset.drawn = "";
    }
    drawing._pop_all_models_freeze();
    for (const [name, id] of Object.entries(settings.plots)) views.set(name, Bokeh.index.get_by_id(id));
    keyboardPointer();
  }

  async function start() {
    show(mode);
    const documents = read("documents");
    const drawn = Promise.all(settings.items.map((item) => draw(documents[item.docid], item.roots)));
    offerDownloads({ settings, views, models: (id) => models(id), answer, inLight, exported, drawn });
    await drawn;
    root.dataset.ready = "";
  }
  start();
})();
