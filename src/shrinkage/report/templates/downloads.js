"use strict";
// Every figure as SVG and PNG, and its numbers as CSV: made in the page, of what it shows now.
function offerDownloads({ settings, views, models, answer, inLight, exported, drawn }) {
  const SVG = "http://www.w3.org/2000/svg";
  const GAP = 14;

  // ---- numbers

  const cell = (value) => {
    const text = value === null || value === undefined || Number.isNaN(value) ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  // Nine digits tell every number of single precision from its neighbours.
  const plain = (values, i) => (values instanceof Float32Array ? Number(values[i].toPrecision(9)) : values[i]);

  function rowsOf(series) {
    const data = models(series.source).data;
    const columns = Object.keys(series.columns);
    const count = data[columns[0]].length;
    return Array.from({ length: count }, (_, i) =>
      columns.map((column) => (column === "target" && series.classes.length ? series.classes[data.target[i]] : plain(data[column], i))),
    );
  }

  function gridRows(grid) {
    const codes = models(grid.source).data.codes[0];
    const at = ([first, last, count], i) => Number((first + ((last - first) * i) / (count - 1)).toPrecision(9));
    const rows = [];
    for (let j = 0; j < grid.y[2]; j++) {
      for (let i = 0; i < grid.x[2]; i++) {
        rows.push([at(grid.x, i), at(grid.y, j), ...answer(grid, codes[j * grid.x[2] + i], 6).map(([, value]) => value)]);
      }
    }
    return rows;
  }

  function csv(name, axes) {
    const { series, grid } = settings.tables[name];
    const parts = series.map((one) => [one.label, Object.values(one.columns), rowsOf(one)]);
    if (grid) parts.unshift(["surface", [...axes, ...answer(grid, 0).map(([key]) => key)], gridRows(grid)]);
    const named = parts.some(([label]) => label) && parts.length > 1;
    const headings = [...new Set(parts.flatMap(([, heads]) => heads))];
    const lines = [[...(named ? ["series"] : []), ...headings].map(cell).join(",")];
    for (const [label, heads, rows] of parts) {
      const places = headings.map((heading) => heads.indexOf(heading));
      for (const row of rows) {
        lines.push([...(named ? [label] : []), ...places.map((place) => (place < 0 ? "" : row[place]))].map(cell).join(","));
      }
    }
    return lines.join("\r\n") + "\r\n";
  }

  // ---- pictures: the figure with its title, legend and axes, so that it stands alone

  function make(kind, attributes, text) {
    const element = document.createElementNS(SVG, kind);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function lines(text, width, font) {
    const ruler = document.createElement("canvas").getContext("2d");
    ruler.font = font;
    const found = [""];
    for (const word of text.split(/\s+/)) {
      const longer = found.at(-1) ? `${found.at(-1)} ${word}` : word;
      if (ruler.measureText(longer).width <= width || !found.at(-1)) found[found.length - 1] = longer;
      else found.push(word);
    }
    return [found, (piece) => ruler.measureText(piece).width];
  }

  function keyMark(mark, x, y) {
    const style = getComputedStyle(mark);
    const colour = mark.matches(".swatch, .bar") ? style.backgroundColor : style.color;
    if (mark.matches(".line, .dash, .dots")) {
      const dash = mark.matches(".dash") ? "6 3" : mark.matches(".dots") ? "2 3" : "none";
      return make("line", { x1: x, x2: x + 20, y1: y, y2: y, stroke: colour, "stroke-width": 2.4, "stroke-dasharray": dash });
    }
    if (mark.matches(".ring")) return make("circle", { cx: x + 10, cy: y, r: 6, fill: "none", stroke: colour, "stroke-width": 2.5 });
    if (mark.matches(".dot")) return make("circle", { cx: x + 10, cy: y, r: 5, fill: colour });
    if (mark.matches(".diamond")) return make("path", { d: `M${x + 10} ${y - 6}l6 6l-6 6l-6 -6z`, fill: colour });
    if (mark.matches(".frame")) return make("rect", { x: x + 3, y: y - 6, width: 16, height: 12, fill: "none", stroke: style.borderTopColor, "stroke-width": 2 });
    if (mark.matches(".ramp")) return ramp(style.backgroundImage.match(/rgb\([^)]*\)/g) ?? [], x, y);
    const opacity = mark.matches(".zone") ? 0.3 : 1;
    return make("rect", { x: x + 3, y: y - 6, width: mark.matches(".bar") ? 2 : 14, height: 12, fill: colour, "fill-opacity": opacity });
  }

  function ramp(colours, x, y) {
    const group = make("g", {});
    const fade = make("linearGradient", { id: "ramp" });
    for (const [i, colour] of colours.entries()) fade.append(make("stop", { offset: i / (colours.length - 1), "stop-color": colour }));
    group.append(fade, make("rect", { x, y: y - 5, width: 22, height: 10, fill: "url(#ramp)" }));
    return group;
  }

  function picture(place, title, axes) {
    return inLight(() => {
      const view = views.get(place.dataset.plot);
      const inner = exported(view, "svg");
      const style = getComputedStyle(document.body);
      const family = style.fontFamily;
      const { width, height } = view.bbox;
      const svg = make("svg", { xmlns: SVG, "font-family": family, fill: style.color });
      let y = GAP;
      const write = (text, size, weight, anchor = "start") => {
        const [found] = lines(text, width - 2 * GAP, `${weight} ${size}px ${family}`);
        for (const line of found) {
          y += size * 1.3;
          const x = anchor === "start" ? GAP : (width + 2 * GAP) / 2;
          svg.append(make("text", { x, y: y - size * 0.25, "font-size": size, "font-weight": weight, "text-anchor": anchor }, line));
        }
      };
      for (const [i, text] of title.entries()) write(text, i ? 13 : 15, 600);
      const legend = legendOf(place);
      let x = GAP;
      if (legend.length) y += 12;
      for (const [mark, text] of legend) {
        const [, measure] = lines(text, width, `12px ${family}`);
        const wide = 28 + measure(text) + 16;
        if (x > GAP && x + wide > width + GAP) [x, y] = [GAP, y + 18];
        svg.append(keyMark(mark, x, y), make("text", { x: x + 28, y: y + 4, "font-size": 12 }, text));
        x += wide;
      }
      if (legend.length) y += 10;
      if (axes[1]) write(`↑ ${axes[1]}`, 12, 400);
      inner.setAttribute("x", GAP);
      inner.setAttribute("y", y + 4);
      svg.append(inner);
      y += height + 4;
      if (axes[0]) write(`${axes[0]} →`, 12, 400, "middle");
      y += GAP;
      svg.setAttribute("width", width + 2 * GAP);
      svg.setAttribute("height", Math.ceil(y));
      svg.setAttribute("viewBox", `0 0 ${width + 2 * GAP} ${Math.ceil(y)}`);
      svg.prepend(make("title", {}, title.join(" – ")), make("rect", { width: "100%", height: "100%", fill: settings.roles.light.paper }));
      return svg;
    });
  }

  // The legend of a figure's own group: inside it, above it up to the next heading, or right below.
  function legendOf(place) {
    const figure = place.closest("figure");
    let holder = figure?.querySelector(".legend");
    for (let part = figure; part && !holder && !part.matches("section, article"); part = part.parentElement) {
      for (let above = part.previousElementSibling; above && !holder && !above.matches("h1, h2, h3"); above = above.previousElementSibling) {
        if (above.matches(".legend")) holder = above;
      }
      if (!holder && part.nextElementSibling?.matches(".legend")) holder = part.nextElementSibling;
    }
    const name = place.dataset.plot;
    const keys = [...(holder?.querySelectorAll(".key") ?? [])].filter((key) => {
      const only = key.closest("[data-only]")?.dataset.only;
      return !only || only.split(" ").includes(name);
    });
    return keys.map(keyOf).filter(([mark, text]) => mark && text);
  }

  function keyOf(key) {
    const mark = key.querySelector(".ramp") ?? key.firstElementChild;
    const ends = [...key.querySelectorAll(".ramp-text")].map((end) => end.textContent.trim());
    const text = ends.length ? `${key.firstChild.textContent.trim()} from ${ends.join(" to ")}` : key.textContent.trim();
    return [mark, text];
  }

  function png(svg) {
    const scale = 2;
    const image = new Image();
    return new Promise((resolve, reject) => {
      image.onload = () => {
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [image.width * scale, image.height * scale];
        const context = canvas.getContext("2d");
        context.scale(scale, scale);
        context.drawImage(image, 0, 0);
        canvas.toBlob(resolve, "image/png");
      };
      image.onerror = reject;
      image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`;
    });
  }

  // ---- buttons

  function save(blob, file) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  function titleOf(place) {
    const figure = place.closest("figure");
    let above = place.closest("section, article") ?? document;
    let heading = null;
    for (const one of above.querySelectorAll("h1, h2, h3")) {
      if (one.compareDocumentPosition(place) & Node.DOCUMENT_POSITION_FOLLOWING) heading = one;
    }
    const name = figure?.querySelector(".figure-name, .panel-name");
    return [heading, name].map((one) => one?.textContent.replace(/\s+/g, " ").trim()).filter(Boolean);
  }

  const kinds = {
    SVG: async (place) => new Blob([new XMLSerializer().serializeToString(picture(place, titleOf(place), axesOf(place)))], { type: "image/svg+xml" }),
    PNG: (place) => png(picture(place, titleOf(place), axesOf(place))),
    CSV: async (place) => new Blob(["\ufeff", csv(place.dataset.plot, axesOf(place))], { type: "text/csv;charset=utf-8" }),
  };
  const axesOf = (place) => settings.axes[place.dataset.plot];

  for (const place of document.querySelectorAll("[data-plot]")) {
    const name = place.dataset.plot;
    const table = settings.tables[name];
    const row = document.createElement("p");
    row.className = "downloads";
    for (const [kind, produce] of Object.entries(kinds)) {
      if (kind === "CSV" && !table.series.length && !table.grid) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = kind;
      button.dataset.get = kind.toLowerCase();
      button.setAttribute("aria-label", `Download as ${kind}: ${titleOf(place).join(", ")}`);
      button.addEventListener("click", async () => {
        await drawn;
        save(await produce(place), `${settings.file}-${name}.${kind.toLowerCase()}`);
      });
      row.append(button);
    }
    const axis = place.nextElementSibling;
    (axis?.matches(".axis.x") ? axis : place).after(row);
  }
}
