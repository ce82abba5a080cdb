// Read-outs under the pointer. The page is whole without them.
for (const svg of document.querySelectorAll("svg[data-plot]")) {
  const [left, right, top, bottom] = svg.dataset.plot.split(" ").map(Number);
  const axis = (text) => {
    const [, end, unit, suffix] = text.match(/^(\d+) (\d+)(.*)$/);
    const show = (value) => (unit === "1" ? value : Number((value / unit).toPrecision(3))) + suffix;
    return { end: Number(end), show };
  };
  const x = axis(svg.dataset.x);
  const y = axis(svg.dataset.y);
  const lines = [...svg.querySelectorAll("polyline")].map((line) => ({
    name: line.dataset.name,
    // Where each value begins, and the value.
    values: [...line.dataset.values.matchAll(/(\S+) (\S+)/g)].map((pair) => [Number(pair[1]), Number(pair[2])]),
  }));
  const cross = document.createElementNS("http://www.w3.org/2000/svg", "path");
  cross.setAttribute("class", "cross");
  const readout = document.createElement("div");
  readout.className = "readout";
  const hide = () => { cross.remove(); readout.remove(); };
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("pointermove", (event) => {
    const frame = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / frame.width;
    const at = (event.clientX - frame.left) * scale;
    if (at < left || at > right) return hide();
    const rows = [x.show(((at - left) / (right - left)) * x.end)];
    for (const { name, values } of lines) {
      const last = values.filter((value) => value[0] <= at).pop();
      if (last) rows.push(name + ": " + y.show(last[1]));
    }
    cross.setAttribute("d", "M" + at + " " + top + "V" + bottom);
    svg.append(cross);
    readout.textContent = rows.join("\n");
    const figure = svg.closest("figure");
    figure.append(readout);
    const box = figure.getBoundingClientRect();
    const room = box.width - readout.offsetWidth - 8;
    readout.style.left = Math.max(8, Math.min(event.clientX - box.left + 14, room)) + "px";
    readout.style.top = event.clientY - box.top - readout.offsetHeight - 10 + "px";
  });
}
