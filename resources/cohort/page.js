"use strict";
// Plots and table of the people of a cohort, from the columns that goe.sample_qc.page put into the page. Nothing is
// asked of a network, nothing is judged here, and text only ever becomes a text node.
(() => {
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const PAGE = 50;
  const PAGE_OF_PAIRS = 15;
  const REACH = 9;
  const KIND = { "left out": "out", flagged: "flagged", counted: "kept" };
  const TEXTS = ["sample_id", "country_code", "platform", "sex", "inferred_sex", "count_sex", "keep", "input_type"];

  function h(name, attributes, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value !== null && value !== undefined) node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }
  const byId = (id) => document.getElementById(id);
  const shown = (value) =>
    value === null || value === undefined ? "" : value.toLocaleString("en-GB", { maximumFractionDigits: 6 });

  // ---- the table of people

  const ids = facts.columns.sample_id ? facts.columns.sample_id.text : [];
  const place = new Map(ids.map((id, i) => [id, i]));
  const numbers = (name) => (facts.columns[name] ? facts.columns[name].numbers : undefined);
  function cell(name, i) {
    const column = facts.columns[name];
    if (!column) return "";
    if (column.text) return column.text[i];
    if (column.at) return column.of[column.at[i]];
    if (column.numbers) return column.numbers[i];
    return column.lists[i].map((part) => column.of[part]);
  }
  const metrics = Object.keys(facts.columns).filter((name) => numbers(name) && numbers(name).some((v) => v !== null));
  const kind = ids.map((id, i) => KIND[cell("status", i)]);

  // ---- plots

  const style = () => getComputedStyle(document.documentElement);
  const hash = (i) => ((i * 2654435761) >>> 0) / 4294967296;

  // A round step that cuts a span into at most `most` parts.
  function step(span, most) {
    const size = 10 ** Math.floor(Math.log10(span / most));
    return [1, 2, 5, 10].map((n) => n * size).find((s) => span / s <= most) || 10 * size;
  }
  function ticks([low, high], most) {
    const by = step(high - low, most);
    const found = [];
    for (let n = Math.ceil(low / by); n * by <= high + by * 1e-9; n++) found.push(Number((n * by).toPrecision(12)));
    return found;
  }
  function range(values) {
    let low = Infinity;
    let high = -Infinity;
    for (const v of values) {
      if (v < low) low = v;
      if (v > high) high = v;
    }
    if (low > high) return [0, 1];
    const room = (high - low || Math.abs(high) || 1) * 0.04;
    return [low - room, high + room];
  }

  function mark(context, what, x, y, many) {
    const r = what === "kept" ? (many ? 1.7 : 3) : 4.2;
    if (what === "out") {
      context.moveTo(x - r, y - r);
      context.lineTo(x + r, y + r);
      context.moveTo(x + r, y - r);
      context.lineTo(x - r, y + r);
    } else if (what === "flagged") {
      context.moveTo(x, y - r);
      context.lineTo(x + r, y + r * 0.8);
      context.lineTo(x - r, y + r * 0.8);
      context.closePath();
    } else {
      context.moveTo(x + r, y);
      context.arc(x, y, r, 0, 7);
    }
  }

  // points: [{x, y, what, colour, go, says}] in units of the axes; x, y: {range, title, cuts}; bands: names of the rows
  // of y; medians: [{at, band}]; names: [{name, at: [x, y]}]. Points are found again under the pointer.
  function draw(box, points, x, y, { bands, medians, names } = {}) {
    const canvas = box.querySelector("canvas");
    const colours = style();
    const colour = (name) => colours.getPropertyValue(`--${name}`).trim();
    const width = box.clientWidth || 600;
    const height = bands ? Math.max(120, bands.length * 46 + 46) : Math.min(460, Math.max(280, width * 0.6));
    const dense = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * dense);
    canvas.height = Math.round(height * dense);
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    context.scale(dense, dense);
    const font = getComputedStyle(document.body).fontFamily;
    context.font = `12px ${font}`;
    const left = bands ? Math.min(90, 14 + Math.max(0, ...bands.map((b) => context.measureText(b).width))) : 62;
    const area = { left, right: width - 12, top: 8, bottom: height - 40 };
    const px = (v) => area.left + ((v - x.range[0]) / (x.range[1] - x.range[0])) * (area.right - area.left);
    const py = (v) => area.bottom - ((v - y.range[0]) / (y.range[1] - y.range[0])) * (area.bottom - area.top);
    const line = (x1, y1, x2, y2, ink, dash) => {
      context.beginPath();
      context.setLineDash(dash || []);
      context.strokeStyle = ink;
      context.lineWidth = 1;
      context.moveTo(x1, y1);
      context.lineTo(x2, y2);
      context.stroke();
      context.setLineDash([]);
    };
    context.fillStyle = colour("mute");
    context.textAlign = "center";
    for (const v of ticks(x.range, Math.max(2, width / 90))) {
      line(px(v), area.top, px(v), area.bottom, colour("hair"));
      context.fillText(shown(v), px(v), area.bottom + 16);
    }
    context.fillText(x.title, (area.left + area.right) / 2, height - 6);
    if (bands) {
      context.textAlign = "left";
      bands.forEach((name, i) => {
        context.fillStyle = colour("ink");
        context.fillText(name, 2, py(i) + 4);
        line(area.left, py(i - 0.5), area.right, py(i - 0.5), colour("hair"));
      });
    } else {
      context.textAlign = "right";
      for (const v of ticks(y.range, 6)) {
        line(area.left, py(v), area.right, py(v), colour("hair"));
        context.fillText(shown(v), area.left - 6, py(v) + 4);
      }
      context.save();
      context.translate(12, (area.top + area.bottom) / 2);
      context.rotate(-Math.PI / 2);
      context.textAlign = "center";
      context.fillText(y.title, 0, 0);
      context.restore();
    }
    const inside = (v, axis) => v > axis.range[0] && v < axis.range[1];
    for (const v of x.cuts || []) {
      if (inside(v, x)) line(px(v), area.top, px(v), area.bottom, colour("mute"), [5, 4]);
    }
    for (const v of y.cuts || []) {
      if (inside(v, y)) line(area.left, py(v), area.right, py(v), colour("mute"), [5, 4]);
    }
    const many = points.length > 1500;
    for (const what of ["kept", "flagged", "out"]) {
      const here = points.filter((p) => p.what === what);
      for (const ink of new Set(here.map((p) => p.colour || colour(what)))) {
        context.beginPath();
        for (const p of here) if ((p.colour || colour(what)) === ink) mark(context, what, px(p.x), py(p.y), many);
        context.globalAlpha = what === "kept" ? (many ? 0.45 : 0.7) : 1;
        context.strokeStyle = context.fillStyle = ink;
        context.lineWidth = 1.8;
        if (what === "out") context.stroke();
        else context.fill();
      }
    }
    context.globalAlpha = 1;
    for (const { at, band } of medians || []) {
      context.lineWidth = 2;
      context.strokeStyle = colour("ink");
      context.beginPath();
      context.moveTo(px(at), py(band - 0.36));
      context.lineTo(px(at), py(band + 0.36));
      context.stroke();
    }
    context.textAlign = "center";
    context.lineJoin = "round";
    for (const { name, at } of names || []) {
      context.lineWidth = 4;
      context.strokeStyle = colour("paper");
      context.fillStyle = colour("ink");
      context.font = `600 12px ${font}`;
      context.strokeText(name, px(at[0]), py(at[1]) + 4);
      context.fillText(name, px(at[0]), py(at[1]) + 4);
    }
    context.font = `12px ${font}`;
    if (!points.length) {
      context.fillStyle = colour("mute");
      context.textAlign = "center";
      context.fillText("nobody has this", (area.left + area.right) / 2, (area.top + area.bottom) / 2);
    }
    const tip = box.querySelector(".tip");
    const nearest = (event) => {
      const frame = canvas.getBoundingClientRect();
      const [mx, my] = [event.clientX - frame.left, event.clientY - frame.top];
      let best = null;
      let least = REACH * REACH;
      for (const p of points) {
        const d = (px(p.x) - mx) ** 2 + (py(p.y) - my) ** 2 - (p.what === "kept" ? 0 : 6);
        if (d < least) [best, least] = [p, d];
      }
      return best;
    };
    canvas.onmousemove = (event) => {
      const found = nearest(event);
      canvas.style.cursor = found ? "pointer" : "default";
      tip.hidden = !found;
      if (!found) return;
      tip.textContent = found.says;
      const half = tip.offsetWidth / 2;
      tip.style.left = `${Math.min(Math.max(px(found.x), half), width - half)}px`;
      tip.style.top = `${py(found.y)}px`;
    };
    canvas.onmouseleave = () => {
      tip.hidden = true;
    };
    canvas.onclick = (event) => {
      const found = nearest(event);
      if (found) go(found.go);
    };
  }

  const middle = (values) => {
    const sorted = Float64Array.from(values).sort();
    const half = sorted.length >> 1;
    return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  };

  // Limits of a metric that are the same for all people.
  function cutsOf(metric) {
    const each = facts.limits.of.map((one) =>
      [...(one[metric] || []).join(" ").matchAll(/[<>]\s*(-?[0-9.]+(?:e[0-9]+)?)/g)].map((match) => Number(match[1])),
    );
    return (each[0] || []).filter((limit) => each.every((some) => some.includes(limit)));
  }

  const countries = [...new Set(ids.map((id, i) => cell("country_code", i)))].sort();
  // Eight that everybody tells apart (Okabe and Ito), then hues far from the one before.
  const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7a5195", "#8c6d31"];
  const colourOf = new Map(
    countries.map((name, i) => [name, COLOURS[i] || `hsl(${Math.round((i * 137.5) % 360)} 60% 50%)`]),
  );
  function spread(box, metric) {
    const values = numbers(metric) || [];
    const bands = [...countries].reverse();
    const row = new Map(bands.map((name, i) => [name, i]));
    const points = [];
    const counted = bands.map(() => []);
    for (let i = 0; i < values.length; i++) {
      if (values[i] === null) continue;
      const band = row.get(cell("country_code", i));
      points.push({
        x: values[i],
        y: band + (hash(i) - 0.5) * 0.66,
        what: kind[i],
        go: ids[i],
        says: `${ids[i]}: ${shown(values[i])}`,
      });
      if (kind[i] !== "out") counted[band].push(values[i]);
    }
    const medians = counted.flatMap((some, band) => (some.length ? [{ at: middle(some), band }] : []));
    const x = { range: range(points.map((p) => p.x)), title: metric, cuts: cutsOf(metric) };
    draw(box, points, x, { range: [-0.5, bands.length - 0.5] }, { bands, medians });
  }

  function scatter(box, first, second, cuts, paint, byCountry) {
    const [a, b] = [numbers(first) || [], numbers(second) || []];
    const points = [];
    for (let i = 0; i < a.length; i++) {
      if (a[i] === null || b[i] === null || b[i] === undefined) continue;
      const more = paint ? paint(i) : {};
      const says = `${ids[i]} (${cell("country_code", i)}, sheet ${cell("sex", i)}, data ${cell("inferred_sex", i)})`;
      points.push({ x: a[i], y: b[i], what: kind[i], go: ids[i], says, country: cell("country_code", i), ...more });
    }
    points.sort((p, q) => (p.front || 0) - (q.front || 0));
    const side = (key, values, title) => ({ range: range(values), title, cuts: cuts[key] });
    const titleOf = (name) => (facts.axes && facts.axes[name]) || name;
    const x = side("x", points.map((p) => p.x), titleOf(first));
    const y = side("y", points.map((p) => p.y), titleOf(second));
    const names = !byCountry
      ? []
      : countries.flatMap((name) => {
          const here = points.filter((p) => p.country === name);
          return here.length ? [{ name, at: [middle(here.map((p) => p.x)), middle(here.map((p) => p.y))] }] : [];
        });
    draw(box, points, x, y, { names });
  }

  const values = (axis) => facts.cuts[axis].map(([, value]) => value);
  const pairs = facts.pairs;
  const pairCount = pairs.sample_a.text.length;
  function kinships(box) {
    const known = (name) => pairs[name] && pairs[name].numbers && pairs[name].numbers.some((v) => v !== null);
    const other = known("k0") ? "k0" : "n_snvs";
    const points = [];
    for (let i = 0; i < pairCount; i++) {
      const [a, b] = [pairs.sample_a.text[i], pairs.sample_b.text[i]];
      const out = [a, b].some((id) => kind[place.get(id)] === "out");
      const [k, y] = [pairs.kinship.numbers[i], pairs[other].numbers[i]];
      if (y !== null) points.push({ x: k, y, what: out ? "out" : "flagged", go: a, says: `${a} and ${b}: ${k}` });
    }
    const x = { range: range([...points.map((p) => p.x), ...values("kinship")]), title: "kinship", cuts: values("kinship") };
    const title = other === "k0" ? "k0, share of the genome without a common allele by descent" : "SNVs both have";
    draw(box, points, x, { range: range(points.map((p) => p.y)), title });
  }

  const drawings = [];
  for (const choice of document.querySelectorAll("select[data-metric]")) {
    const first = choice.dataset.first;
    choice.append(...[...new Set([first, ...metrics])].map((name) => h("option", { value: name }, name)));
    choice.value = first;
    const box = byId(`plot-${choice.dataset.metric}`);
    const again = () => spread(box, choice.value);
    choice.addEventListener("change", () => {
      choice.closest("figure").querySelector("figcaption").firstChild.textContent = `${choice.value} by country`;
      again();
    });
    drawings.push(again);
  }
  if (byId("plot-pca")) {
    const [x, y, country] = ["pca-x", "pca-y", "pca-country"].map(byId);
    const again = () => {
      const wanted = country.value;
      const behind = style().getPropertyValue("--neither").trim();
      const paint = (i) => {
        const mine = cell("country_code", i);
        const asked = !wanted || mine === wanted;
        return asked ? { front: 1, colour: colourOf.get(mine) } : { colour: behind, what: "kept" };
      };
      scatter(byId("plot-pca"), x.value, y.value, {}, paint, true);
    };
    const dot = (name) => {
      const mark = h("b", {}, "●");
      mark.style.color = colourOf.get(name);
      return h("li", {}, mark, ` ${name}`);
    };
    byId("pca-key").append(...countries.map(dot));
    for (const choice of [x, y, country]) choice.addEventListener("change", again);
    drawings.push(again);
  }
  if (byId("plot-sex")) {
    drawings.push(() => scatter(byId("plot-sex"), "x_depth_ratio", "y_depth_ratio", { x: values("x"), y: values("y") }));
  }
  if (byId("plot-kin")) drawings.push(() => kinships(byId("plot-kin")));
  const drawAll = () => drawings.forEach((again) => again());
  drawAll();
  let wait = 0;
  window.addEventListener("resize", () => {
    clearTimeout(wait);
    wait = setTimeout(drawAll, 150);
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);

  // ---- tables in pages

  function paged(target, heads, count, line, words, size = PAGE) {
    let at = 0;
    const show = () => {
      at = Math.max(0, Math.min(at, Math.floor((count() - 1) / size) * size));
      const end = Math.min(count(), at + size);
      const body = h("tbody");
      for (let i = at; i < end; i++) body.append(line(i));
      const table = h("table", {}, h("thead", {}, h("tr", {}, ...heads())), body);
      const turn = (label, by, possible) => {
        const button = h("button", { type: "button", class: "plain" }, label);
        button.disabled = !possible;
        button.addEventListener("click", () => {
          at += by;
          show();
        });
        return button;
      };
      const said = count() ? `${shown(at + 1)} to ${shown(end)} of ${shown(count())} ${words}` : `no ${words}`;
      const pager = h("div", { class: "pager" });
      if (count() > size) pager.append(turn("Before", -size, at > 0), turn("Next", size, end < count()));
      pager.append(h("span", { class: "said" }, said));
      target.replaceChildren(h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": words }, table), pager);
    };
    return () => {
      at = 0;
      show();
    };
  }

  const chips = (list) => h("span", { class: "chips" }, ...list.map((text) => h("span", { class: "chip" }, text)));
  const link = (id) => h("a", { href: `#person=${encodeURIComponent(id)}` }, id);
  const state = (i) => {
    const word = cell("status", i);
    return h("span", { class: { out: "fail", flagged: "chip", kept: "ok" }[KIND[word]] }, word);
  };

  if (byId("pairs")) {
    const names = Object.keys(pairs).filter((name) => name !== "sample_a" && name !== "sample_b");
    const value = (name, i) => {
      const column = pairs[name];
      return column.numbers ? shown(column.numbers[i]) : column.of[column.at[i]].replaceAll("_", " ");
    };
    const order = [...Array(pairCount).keys()].sort((i, j) => pairs.kinship.numbers[j] - pairs.kinship.numbers[i]);
    paged(
      byId("pairs"),
      () => ["Person", "Outcome", "Person", "Outcome", ...names].map((name) => h("th", { scope: "col" }, name)),
      () => pairCount,
      (n) => {
        const i = order[n];
        const [a, b] = [pairs.sample_a.text[i], pairs.sample_b.text[i]];
        const cells = names.map((name) => h("td", { class: pairs[name].numbers ? "n" : null }, value(name, i)));
        const of = (id) => h("td", {}, place.has(id) ? state(place.get(id)) : "");
        return h("tr", {}, h("th", { scope: "row" }, link(a)), of(a), h("td", { class: "mono" }, link(b)), of(b), ...cells);
      },
      "pairs",
      PAGE_OF_PAIRS,
    )();
  }

  const SEEN = [
    ["sample_id", "Person"],
    ["status", "Outcome"],
    ["reasons", "Reasons"],
    ["country_code", "Country"],
    ["sex", "Sheet"],
    ["inferred_sex", "Data"],
    ["input_type", "Came as"],
    ...["mean_autosome_coverage", "mean_dp", "call_rate", "adj_ratio_heterozygous_homzygous_snv", "charr"]
      .filter((name) => metrics.includes(name))
      .map((name) => [name, name.replace("adj_ratio_heterozygous_homzygous_snv", "het/hom").replaceAll("_", " ")]),
  ];
  const find = byId("find");
  const filters = { status: byId("by-status"), reasons: byId("by-reason-name"), country_code: byId("by-country-name") };
  const options = {
    status: facts.status,
    reasons: [...(facts.columns.reasons ? facts.columns.reasons.of : [])].sort(),
    country_code: countries,
  };
  for (const [name, choice] of Object.entries(filters)) {
    choice.append(h("option", { value: "" }, "all"), ...options[name].map((value) => h("option", { value }, value)));
  }
  let chosen = [];
  let sorted = { name: "", down: false };

  function choose() {
    const words = find.value.trim().toLowerCase().split(/[\s,;]+/).filter(Boolean);
    // A word that is the whole id of somebody means them alone.
    const lower = new Set(ids.map((id) => id.toLowerCase()));
    const tests = words.map((word) => (lower.has(word) ? (id) => id === word : (id) => id.includes(word)));
    chosen = [];
    for (let i = 0; i < ids.length; i++) {
      if (filters.status.value && cell("status", i) !== filters.status.value) continue;
      if (filters.country_code.value && cell("country_code", i) !== filters.country_code.value) continue;
      if (filters.reasons.value && !cell("reasons", i).includes(filters.reasons.value)) continue;
      const id = ids[i].toLowerCase();
      if (tests.length && !tests.some((test) => test(id))) continue;
      chosen.push(i);
    }
    if (sorted.name) {
      const way = sorted.down ? -1 : 1;
      const key = (i) => (sorted.name === "reasons" ? cell("reasons", i).join() : cell(sorted.name, i));
      chosen.sort((i, j) => {
        const [a, b] = [key(i), key(j)];
        if (a === b) return i - j;
        if (a === null || b === null) return a === null ? 1 : -1;
        return way * (a < b ? -1 : 1);
      });
    }
    renew();
  }
  const heads = () =>
    SEEN.map(([name, title]) => {
      const button = h("button", { type: "button" }, title);
      button.addEventListener("click", () => {
        sorted = { name, down: sorted.name === name && !sorted.down };
        choose();
      });
      const way = sorted.name === name ? (sorted.down ? "descending" : "ascending") : null;
      return h("th", { scope: "col", class: numbers(name) ? "n" : null, "aria-sort": way }, button);
    });
  const line = (n) => {
    const i = chosen[n];
    const cells = SEEN.slice(1).map(([name]) => {
      if (name === "status") return h("td", {}, state(i));
      if (name === "reasons") return h("td", {}, chips(cell(name, i)));
      if (numbers(name)) return h("td", { class: "n" }, shown(cell(name, i)));
      return h("td", {}, cell(name, i));
    });
    return h("tr", {}, h("th", { scope: "row" }, link(ids[i])), ...cells);
  };
  const renew = paged(byId("list"), heads, () => chosen.length, line, "people");
  find.addEventListener("input", choose);
  for (const choice of Object.values(filters)) choice.addEventListener("change", choose);
  choose();

  // ---- one person

  function record(i) {
    const out = [h("h3", {}, ids[i]), h("p", { class: "answerline" }, state(i), chips(cell("reasons", i)))];
    const said = TEXTS.slice(1).flatMap((name) =>
      cell(name, i) ? [h("span", {}, `${name} `, h("b", {}, cell(name, i)))] : [],
    );
    out.push(h("p", { class: "answerline" }, ...said));
    const kin = cell("relatives", i) || [];
    if (kin.length) {
      const each = kin.flatMap((one, n) => {
        const [id, degree] = one.split("=");
        return [n ? ", " : "", link(id), ` ${(degree || "").replaceAll("_", " ")}`];
      });
      out.push(h("p", {}, "Relatives: ", ...each));
    }
    const verdicts = new Map((cell("warnings", i) || []).map((text) => [text.split("=")[0], text]));
    const why = new Map((cell("not_assessed", i) || []).map((text) => text.split(/: (.*)/s).slice(0, 2)));
    const limits = facts.limits.of[facts.limits.at[i]];
    const rows = Object.keys(facts.columns)
      .filter((name) => numbers(name))
      .map((name) => {
        const value = cell(name, i);
        const verdict = verdicts.get(name);
        const [warn, fail] = limits[name] || ["", ""];
        const cls = !verdict ? null : verdict.includes(" fails: ") ? "fails" : "warns";
        const better = facts.instead[name];
        const judged = better && cell(better, i) !== null ? `${better} is judged instead` : "";
        const note = verdict ? verdict.slice(verdict.indexOf(":") + 1).trim() : why.get(name) || judged;
        const word = { fails: "fails ", warns: "warning " }[cls] || "";
        return h(
          "tr",
          { class: cls },
          h("th", { scope: "row" }, name),
          h("td", { class: "n" }, value === null ? "–" : shown(value)),
          h("td", {}, warn),
          h("td", {}, fail),
          h("td", { class: verdict ? null : "why" }, word + note),
        );
      });
    const titles = ["Metric", "Value", "Warning", "Failure", "What was found"];
    const head = h("tr", {}, ...titles.map((title, n) => h("th", { scope: "col", class: n === 1 ? "n" : null }, title)));
    const table = h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows));
    out.push(h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Metrics" }, table));
    if (why.has("inferred_sex")) out.push(h("p", { class: "note" }, `Sex: ${why.get("inferred_sex")}.`));
    const close = h("button", { type: "button", class: "plain" }, "Close");
    close.addEventListener("click", () => {
      history.replaceState(null, "", location.pathname + location.search);
      byId("person").replaceChildren();
    });
    out.push(close);
    return out;
  }

  function go(id) {
    const wanted = `#person=${encodeURIComponent(id)}`;
    if (location.hash === wanted) fromAddress();
    else location.hash = wanted;
  }
  function fromAddress() {
    const match = location.hash.match(/^#person=(.*)$/);
    if (!match) return;
    let id = match[1];
    try {
      id = decodeURIComponent(id);
    } catch {
      // Left as it is: not written by this page.
    }
    const nodes = place.has(id) ? record(place.get(id)) : [h("p", {}, `${id} is nobody of this cohort.`)];
    byId("person").replaceChildren(...nodes);
    byId("people").scrollIntoView();
  }
  window.addEventListener("hashchange", fromAddress);
  fromAddress();
})();
