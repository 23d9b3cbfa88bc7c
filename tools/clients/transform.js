// Does to the present page what a client does to a mail: each rule of facts.toml whose stage is "page" is a function.
(rules) => {
  const everySheet = () => [...document.styleSheets];
  const everyElement = () => [...document.querySelectorAll("*")];

  // Calls `change(list, index, rule)` for every rule of every style sheet, those within @media too, the last one first.
  const eachRule = (change) => {
    const within = (list) => {
      for (let index = list.cssRules.length - 1; index >= 0; index--) {
        const rule = list.cssRules[index];
        if (rule.cssRules && rule.cssRules.length && rule.conditionText !== undefined) within(rule);
        change(list, index, rule);
      }
    };
    for (const sheet of everySheet()) within(sheet);
  };
  const removeRules = (unwanted) => eachRule((list, index, rule) => unwanted(rule) && list.deleteRule(index));

  const unwrapRoot = (element) => {
    const div = document.createElement("div");
    for (const name of ["dir", "lang", "bgcolor", "style", "class", "id"])
      if (element.hasAttribute(name)) div.setAttribute(name, element.getAttribute(name));
    if (element.hasAttribute("bgcolor")) div.style.backgroundColor ||= element.getAttribute("bgcolor");
    return div;
  };

  // --- Colours -------------------------------------------------------------------------------------------------------
  const numbers = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const gamma = (v) => (v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055);
  const root = (t) => (t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116);
  const cube = (t) => (t ** 3 > 216 / 24389 ? t ** 3 : (116 * t - 16) / (24389 / 27));
  const WHITE = [0.95047, 1, 1.08883];
  const toLab = (rgb) => {
    const [r, g, b] = rgb.map((v) => linear(v / 255));
    const [x, y, z] = [
      0.4124564 * r + 0.3575761 * g + 0.1804375 * b,
      0.2126729 * r + 0.7151522 * g + 0.072175 * b,
      0.0193339 * r + 0.119192 * g + 0.9503041 * b,
    ].map((v, i) => root(v / WHITE[i]));
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
  };
  const toRgb = ([l, a, b]) => {
    const y = (l + 16) / 116;
    const [X, Y, Z] = [cube(y + a / 500), cube(y), cube(y - b / 200)].map((v, i) => v * WHITE[i]);
    return [
      3.2404542 * X - 1.5371385 * Y - 0.4985314 * Z,
      -0.969266 * X + 1.8760108 * Y + 0.041556 * Z,
      0.0556434 * X - 0.2040259 * Y + 1.0572252 * Z,
    ].map((v) => Math.round(255 * gamma(Math.min(1, Math.max(0, v)))));
  };
  const invert = (options) => {
    const turned = (l) =>
      options.base === undefined
        ? Math.min(options.lightness - l, 100)
        : ((100 - l) * (100 - options.base)) / 100 + options.base;
    const change = (text, wanted) => {
      const colour = numbers(text);
      if (colour.length < 3 || colour[3] === 0) return null;
      const lab = toLab(colour.slice(0, 3));
      const l = turned(lab[0]);
      if (!options.everything && (wanted === "darker" ? l >= lab[0] : l <= lab[0])) return null;
      return `rgb(${toRgb([l, lab[1], lab[2]]).join(",")})`;
    };
    const found = [];
    for (const element of everyElement()) {
      const style = getComputedStyle(element);
      found.push([element, "background-color", change(style.backgroundColor, "darker")]);
      found.push([element, "color", change(style.color, "lighter")]);
      for (const side of ["top", "right", "bottom", "left"])
        if (parseFloat(style[`border-${side}-width`]) > 0)
          found.push([element, `border-${side}-color`, change(style[`border-${side}-color`], "darker")]);
    }
    const priority = options.wins === false ? "" : "important";
    for (const [element, property, colour] of found)
      if (colour) element.style.setProperty(property, colour, priority);
    const canvas = change("rgb(255, 255, 255)", "darker");
    if (getComputedStyle(document.documentElement).backgroundColor === "rgba(0, 0, 0, 0)")
      document.documentElement.style.backgroundColor = canvas;
  };

  // --- Declarations --------------------------------------------------------------------------------------------------
  // The declarations of a style attribute, those that the browser does not know too: [property, value, important].
  const declarations = (text) =>
    text
      .split(/;(?=(?:[^"']|"[^"]*"|'[^']*')*$)/)
      .map((each) => each.match(/^\s*([\w-]+)\s*:\s*(.*?)\s*(!\s*important)?\s*$/is))
      .filter(Boolean)
      .map((match) => [match[1].toLowerCase(), match[2], Boolean(match[3])]);
  const named = (pattern, property) =>
    pattern.endsWith("*") ? property.startsWith(pattern.slice(0, -1)) : property === pattern;
  const ignoredBy = (entries) => (tag, property, value) =>
    entries.some(
      (entry) =>
        entry.properties.some((pattern) => named(pattern, property)) &&
        (!entry.on || entry.on.includes(tag)) &&
        (!entry.except || !entry.except.includes(tag)) &&
        (!entry.values || value.split(/[\s,]+/).some((word) => entry.values.includes(word)))
    );

  const word = (options) => {
    const ignored = ignoredBy(options.ignored);
    // Rules of style elements become declarations of the elements, in the order of the cascade, since what Word ignores
    // depends on the element. Inline ones come last.
    const given = new Map();
    for (const sheet of everySheet())
      for (const rule of sheet.cssRules) {
        if (!rule.selectorText || /:(hover|active|focus|visited)/.test(rule.selectorText)) continue;
        for (const element of document.querySelectorAll(rule.selectorText)) {
          if (!given.has(element)) given.set(element, []);
          given.get(element).push(...declarations(rule.style.cssText));
        }
      }
    for (const element of everyElement()) {
      const inline = declarations(element.getAttribute("style") || "").filter(([, , important]) => !important);
      const all = [...(given.get(element) || []), ...inline];
      if (!all.length) continue;
      const tag = element.tagName.toLowerCase();
      const kept = all.filter(([property, value]) => !ignored(tag, property, value));
      const padding = kept.filter(([property]) => property === "mso-padding-alt").pop();
      if (padding && (tag === "td" || tag === "th")) kept.push(["padding", padding[1]]);
      element.setAttribute("style", kept.map(([property, value]) => `${property}:${value}`).join(";"));
    }
    for (const style of document.querySelectorAll("style")) style.remove();
    // What mso hides is gone; spacing of cells is Word's own.
    for (const element of document.querySelectorAll("[style*='mso-hide']")) element.remove();
  };

  // By the words of the source: the browser takes `word-wrap`, which more clients know, for `overflow-wrap`.
  const scarce = (options) => {
    const unwanted = new RegExp(`(?<=^|[;{\\s])(?:${options.properties.join("|")})(?:-[\\w-]+)?\\s*:[^;}]*;?`, "gi");
    for (const style of document.querySelectorAll("style"))
      style.textContent = style.textContent.replace(unwanted, "");
    for (const element of document.querySelectorAll("[style]"))
      element.setAttribute("style", element.getAttribute("style").replace(unwanted, ""));
  };

  const functions = {
    "style-removed": () => document.querySelectorAll("style, link[rel=stylesheet]").forEach((each) => each.remove()),

    "media-removed": () => {
      document.querySelectorAll("style[media]").forEach((each) => each.remove());
      removeRules((rule) => rule instanceof CSSMediaRule);
    },

    "style-limited": (options) => {
      let bytes = 0;
      for (const style of document.querySelectorAll("style")) {
        bytes += new TextEncoder().encode(style.textContent).length;
        const nested = [...(style.sheet?.cssRules || [])].some(
          (rule) => rule.cssRules && [...rule.cssRules].some((inner) => !(inner instanceof CSSStyleRule))
        );
        if (bytes > options.bytes || nested || style.closest("body")) style.remove();
      }
    },

    "attribute-selectors-removed": () => removeRules((rule) => rule.selectorText?.includes("[")),

    "scheme-queries-removed": () => {
      document.querySelectorAll("meta[name$=color-scheme], meta[name$=color-schemes]").forEach((each) => each.remove());
      removeRules((rule) => rule instanceof CSSMediaRule && rule.conditionText.includes("prefers-color-scheme"));
      eachRule((list, index, rule) => rule.style?.removeProperty("color-scheme"));
    },

    "head-removed": () => {
      const html = document.documentElement, head = document.head, body = document.body;
      const outer = unwrapRoot(html), inner = unwrapRoot(body);
      inner.append(...body.childNodes);
      outer.append(inner);
      for (const element of [html, body])
        for (const attribute of [...element.attributes]) element.removeAttribute(attribute.name);
      for (const child of [...head.children]) if (child.tagName !== "STYLE") child.remove();
      // Rules for html and body have nothing to apply to.
      removeRules((rule) => /(^|,)\s*(html|body|:root)\s*(,|$)/.test(rule.selectorText || ""));
      const page = document.createElement("meta");
      page.name = "viewport";
      page.content = "width=device-width";
      head.append(page);
      body.style.margin = "0";
      body.append(outer);
    },

    "classes-prefixed": (options) => {
      for (const element of document.body.querySelectorAll("[class], [id]")) {
        if (element.id) element.id = options.prefix + element.id;
        if (element.className) element.className = [...element.classList].map((name) => options.prefix + name).join(" ");
      }
      eachRule((list, index, rule) => {
        if (rule.selectorText)
          rule.selectorText = rule.selectorText.replace(/([.#])(-?[A-Za-z_][\w-]*)/g, `$1${options.prefix}$2`);
      });
    },

    "inverted-partly": invert,
    "inverted-wholly": invert,
    "inverted-by-outlook": invert,

    // The rules ask for an ancestor: everything that is coloured carries the attribute, up to the client's own element.
    "ogsc-marked": () => {
      document.documentElement.setAttribute("data-ogsc", "");
      document.documentElement.setAttribute("data-ogsb", "");
    },

    "size-attributes-removed": () => {
      for (const element of document.querySelectorAll("[width], [height]")) {
        element.removeAttribute("width");
        element.removeAttribute("height");
      }
    },

    "text-doubled": (options) => {
      const found = everyElement().map((element) => {
        const style = getComputedStyle(element);
        return [element, parseFloat(style.fontSize), parseFloat(style.lineHeight)];
      });
      for (const [element, size, line] of found) {
        element.style.setProperty("font-size", `${size * options.factor}px`, "important");
        if (line) element.style.setProperty("line-height", `${line * options.factor}px`, "important");
      }
    },

    "client-right-to-left": () => document.documentElement.setAttribute("dir", "rtl"),
    "word-declarations": word,
    "scarce-removed": scarce,
  };

  for (const rule of rules) {
    if (!functions[rule.name]) throw new Error(`no function does ${rule.name}`);
    functions[rule.name](rule.options);
  }
}
