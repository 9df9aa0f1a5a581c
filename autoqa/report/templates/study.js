"use strict";
// Reads the questions that the page carries and shows those that are asked for; only rows in sight
// are in the document, so that their number does not matter.
const ROW = 52, SPARE = 6;
const at = id => document.getElementById(id);

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

function make(tag, text, attributes) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  return element;
}

// The excerpt, cut where a span begins or ends. Offsets count code points.
function excerpt(row, length) {
  const [gold, answer, members, parts] = [row[5], row[6], row[7], row[8]];
  const shown = make("p", undefined, {class: "excerpt", dir: "auto", lang: row[1]});
  let last = 0;
  for (const [start, text] of parts) {
    if (start > last) shown.append(" … ");
    const points = Array.from(text);
    last = start + points.length;
    const cuts = new Set([0, points.length]);
    for (const [, low, high] of [...gold, answer, ...members])
      for (const edge of [low - start, high - start])
        if (edge > 0 && edge < points.length) cuts.add(edge);
    const edges = [...cuts].sort((a, b) => a - b);
    for (let n = 0; n + 1 < edges.length; n++) {
      const low = start + edges[n];
      const within = span => span[1] <= low && low < span[2];
      const piece = make(gold.some(within) ? "mark" : "span",
        points.slice(edges[n], edges[n + 1]).join(""));
      const voices = members.map((span, k) => within(span) ? k : -1).filter(k => k >= 0);
      if (voices.length) {
        piece.classList.add("said");
        piece.style.backgroundImage = voices.map(
          k => `linear-gradient(var(--c${k % 8}), var(--c${k % 8}))`).join(", ");
        piece.style.backgroundSize = voices.map(() => "100% 2px").join(", ");
        piece.style.backgroundRepeat = "no-repeat";
        piece.style.backgroundPosition = voices.map(
          (_, n) => `0 calc(100% - ${3 * n}px)`).join(", ");
        piece.style.paddingBlockEnd = 3 * voices.length + "px";
      }
      shown.append(piece);
    }
  }
  if (last < length) shown.append(" …");
  return shown;
}

function swatch(number) {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  const square = document.createElementNS(space, "rect");
  picture.setAttribute("class", "swatch");
  for (const name of ["width", "height"]) picture.setAttribute(name, "10");
  picture.setAttribute("aria-hidden", "true");
  square.setAttribute("class", "c" + number % 8);
  for (const name of ["width", "height"]) square.setAttribute(name, "10");
  picture.append(square);
  return picture;
}

function answersTable(row, data) {
  const table = make("table");
  table.append(make("caption", "Who says what"));
  const body = table.appendChild(make("tbody"));
  const line = (name, text, number) => {
    const tr = body.appendChild(make("tr"));
    const head = tr.appendChild(make("th", undefined, {scope: "row"}));
    if (number !== undefined) head.append(swatch(number), " ");
    head.append(name);
    tr.append(text ? make("td", text, {dir: "auto", lang: row[1]}) : make("td", "no answer"));
  };
  const references = new Set(row[5].map(span => span[0]));
  for (const text of references.size ? references : [""]) line("reference", text);
  line(data.members.length > 1 ? "ensemble" : "answer", row[6][0]);
  // One model says the same alone, unless it was decided that there is no answer.
  if (data.members.length > 1 || row[7][0][0] !== row[6][0])
    row[7].forEach((span, number) => line(data.members[number], span[0], number));
  return table;
}

function votesTable(row, data) {
  const table = make("table");
  table.append(make("caption", "The vote, word by word: a word stays if more than half of the votes are " +
    "for it, or half with that of " + data.voters[data.leader].join(" + ")));
  const head = table.appendChild(make("thead")).appendChild(make("tr"));
  head.append(make("th", "word", {scope: "col"}));
  for (const voter of data.voters) head.append(make("th", voter.join(" + "), {scope: "col"}));
  head.append(make("th", "outcome", {scope: "col"}));
  const body = table.appendChild(make("tbody"));
  for (const [word, voters, kept] of row[10]) {
    const tr = body.appendChild(make("tr"));
    tr.append(make("th", word || "no answer",
      {scope: "row", dir: "auto", lang: word ? row[1] : "en"}));
    data.voters.forEach((_, n) => tr.append(make("td", voters.includes(n) ? "yes" : "–")));
    tr.append(make("td", kept ? "stays" : "goes", {class: kept ? "kept" : "dropped"}));
  }
  return table;
}

function browser(data) {
  const list = at("list"), items = at("items"), detail = at("detail");
  let matching = [], chosen = 0;
  const texts = data.rows.map(row =>
    [row[0], row[4], row[6][0], ...row[5].map(span => span[0])].join("\n").toLowerCase());

  function draw() {
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - SPARE);
    const end = Math.min(matching.length, first + Math.ceil(list.clientHeight / ROW) + 2 * SPARE);
    const shown = [];
    for (let n = first; n < end; n++) {
      const row = data.rows[matching[n]];
      const item = make("li", undefined, {
        role: "option", id: "item-" + n, "aria-selected": String(n === chosen),
        "aria-setsize": String(matching.length), "aria-posinset": String(n + 1)});
      item.style.top = n * ROW + "px";
      item.dataset.place = n;
      item.append(make("b", row[4], {dir: "auto", lang: row[1]}),
        make("span", `${row[1]}, ${data.kinds[row[2]]}, ${row[3].toFixed(2)}, ${row[0]}`));
      shown.push(item);
    }
    items.replaceChildren(...shown);
    if (matching.length) list.setAttribute("aria-activedescendant", "item-" + chosen);
    else list.removeAttribute("aria-activedescendant");
  }

  function show() {
    detail.replaceChildren();
    if (!matching.length) {
      detail.append(make("p", "No question fits."));
      return;
    }
    const row = data.rows[matching[chosen]];
    detail.append(make("h3", row[4], {dir: "auto", lang: row[1]}),
      make("p", `${row[0]}, ${row[1]}: ${data.kinds[row[2]]}, score ${row[3].toFixed(3)}`,
        {class: "soft"}),
      excerpt(row, row[9]), answersTable(row, data));
    if (row[10].length) detail.append(votesTable(row, data));
  }

  function choose(place) {
    chosen = Math.min(Math.max(place, 0), matching.length - 1);
    const top = chosen * ROW;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + ROW > list.scrollTop + list.clientHeight)
      list.scrollTop = top + ROW - list.clientHeight;
    draw();
    show();
  }

  function filter() {
    const language = at("language").value, kind = at("kind").value;
    const words = at("words").value.toLowerCase();
    matching = [];
    data.rows.forEach((row, n) => {
      const wanted = kind === "" || (kind === "wrong" ? row[2] !== 0 : String(row[2]) === kind);
      if (wanted && (language === "all" || row[1] === language) && (!words || texts[n].includes(words)))
        matching.push(n);
    });
    items.style.height = matching.length * ROW + "px";
    list.scrollTop = 0;
    at("count").textContent = `${matching.length.toLocaleString("en")} of ` +
      `${data.rows.length.toLocaleString("en")} questions`;
    choose(0);
  }

  const languages = [...new Set(data.rows.map(row => row[1]))].sort();
  for (const name of languages) at("language").append(make("option", name || "not said", {value: name}));
  data.kinds.forEach((name, n) => {
    if (data.rows.some(row => row[2] === n)) at("kind").append(make("option", name, {value: n}));
  });
  for (const id of ["language", "kind"]) at(id).addEventListener("change", filter);
  at("words").addEventListener("input", filter);
  list.addEventListener("scroll", () => requestAnimationFrame(draw));
  list.addEventListener("click", event => {
    const item = event.target.closest("li");
    if (item) choose(Number(item.dataset.place));
  });
  const page = () => Math.max(1, Math.floor(list.clientHeight / ROW) - 1);
  const moves = {ArrowDown: () => chosen + 1, ArrowUp: () => chosen - 1, Home: () => 0,
    End: () => matching.length - 1, PageDown: () => chosen + page(), PageUp: () => chosen - page()};
  list.addEventListener("keydown", event => {
    if (event.key in moves && matching.length) {
      event.preventDefault();
      choose(moves[event.key]());
    }
  });
  if (!data.rows.some(row => row[2] !== 0)) at("kind").value = "";
  // A list that is hidden has no height, and the rows in sight depend on it.
  at("browser").hidden = false;
  filter();
}

const packed = at("questions");
if (packed) unpack(packed.textContent.trim()).then(browser, error => {
  at("count").textContent = "The questions cannot be shown by this browser: " + error;
});
