// Measures the layout of the present page. Gives lists of faults by kind, each with what it is about and a number:
// {overflow, size, contrast, overlap, targets, words, "long-words", clauses}, and `directions` of all texts.
(limits) => {
  const faults = {
    overflow: [], size: [], contrast: [], overlap: [], targets: [], words: [], "long-words": [], clauses: [],
  };
  const short = (text) => text.replace(/\s+/g, " ").trim().slice(0, 40);

  // --- Texts and pictures that can be seen ---------------------------------------------------------------------------
  const BLANK = /[\s\u00a0\u00ad\u034f\u115f\u180e\u2000-\u200f\u2028-\u202f\u205f\u2060-\u206f\u3000\ufeff]+/g;
  const styles = new Map();
  const styleOf = (element) => {
    if (!styles.has(element)) styles.set(element, getComputedStyle(element));
    return styles.get(element);
  };
  const seen = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const lines = (range) => [...range.getClientRects()].filter((box) => box.width > 0.5 && box.height > 0.5);
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.replace(BLANK, "") || ["STYLE", "SCRIPT", "TITLE"].includes(element.tagName)) continue;
    if (!seen(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const boxes = lines(range);
    if (boxes.length) texts.push({ node, element, boxes, style: styleOf(element) });
  }
  const pictures = [...document.images].filter((image) => seen(image) && image.getBoundingClientRect().width > 2);

  // --- Overflow ------------------------------------------------------------------------------------------------------
  const scrolls = (element) => {
    for (let at = element; at && at !== document.body; at = at.parentElement)
      if (["auto", "scroll"].includes(styleOf(at).overflowX)) return true;
    return false;
  };
  const width = innerWidth;
  const page = document.scrollingElement.scrollWidth;
  if (page > width) faults.overflow.push({ text: "the page", is: page });
  for (const { element, boxes, node } of texts)
    for (const box of boxes)
      if ((box.right > width + 0.5 || box.left < -0.5) && !scrolls(element)) {
        faults.overflow.push({ text: short(node.data), is: Math.round(box.right) });
        break;
      }
  for (const image of pictures) {
    const box = image.getBoundingClientRect();
    if ((box.right > width + 0.5 || box.left < -0.5) && !scrolls(image))
      faults.overflow.push({ text: `picture: ${short(image.alt)}`, is: Math.round(box.right) });
  }

  // --- Size and contrast ---------------------------------------------------------------------------------------------
  const colour = (text) => {
    const [r, g, b, a = 1] = (text.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
    return [r, g, b, a];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const layer = colour(styleOf(at).backgroundColor);
      if (layer[3] > 0) layers.push(layer);
      if (layer[3] === 1) break;
    }
    // The canvas of a page whose elements are all transparent: white, or black where the page says that it is dark.
    const dark = /dark/.test(styleOf(document.documentElement).colorScheme) && matchMedia("(prefers-color-scheme: dark)").matches;
    return layers.reverse().reduce((below, layer) => over(layer, below), dark ? [18, 18, 18] : [255, 255, 255]);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (element) => {
    const below = behind(element);
    const [a, b] = [luminance(over(colour(styleOf(element).color), below)), luminance(below)];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  const legible = (element, text) => {
    const size = parseFloat(styleOf(element).fontSize), ratio = contrast(element);
    if (size < limits.text - 0.01) faults.size.push({ text, is: size });
    if (ratio < limits.contrast - 0.005) faults.contrast.push({ text, is: Math.round(ratio * 100) / 100 });
  };
  for (const { element, node } of texts) legible(element, short(node.data));
  for (const image of pictures)
    if (image.alt && !image.naturalWidth) legible(image, `alternative text: ${short(image.alt)}`);

  // --- Overlap -------------------------------------------------------------------------------------------------------
  // Letters fill about seven tenths of their size; the box of a line of text is that of its font, which is higher.
  const bodies = [];
  texts.forEach(({ boxes, style, node }, of) => {
    const height = 0.7 * parseFloat(style.fontSize);
    for (const box of boxes) {
      const middle = (box.top + box.bottom) / 2;
      bodies.push({ of, text: short(node.data), left: box.left, right: box.right, top: middle - height / 2, bottom: middle + height / 2 });
    }
  });
  pictures.forEach((image, number) => {
    const { left, right, top, bottom } = image.getBoundingClientRect();
    bodies.push({ of: `picture ${number}`, text: `picture: ${short(image.alt)}`, left, right, top, bottom });
  });
  bodies.sort((a, b) => a.top - b.top);
  bodies.forEach((upper, index) => {
    for (let next = index + 1; next < bodies.length && bodies[next].top < upper.bottom - 1.5; next++) {
      const lower = bodies[next];
      if (lower.of !== upper.of && Math.min(upper.right, lower.right) - Math.max(upper.left, lower.left) > 1.5)
        faults.overlap.push({ text: `${upper.text} | ${lower.text}`, is: Math.round(upper.bottom - lower.top) });
    }
  });

  // --- Links that stand alone in their block -------------------------------------------------------------------------
  const INLINE = /^(inline|contents|ruby)/;
  const blockOf = (element) => {
    let at = element;
    while (INLINE.test(styleOf(at).display) && at.parentElement) at = at.parentElement;
    return at;
  };
  const wordsOf = (element) => (element.innerText || "").replace(BLANK, "") + "▢".repeat([...element.querySelectorAll("img")].filter(seen).length);
  const coloured = (element) => {
    const style = styleOf(element);
    const bordered = ["Top", "Right", "Bottom", "Left"].every((side) => parseFloat(style[`border${side}Width`]) > 0);
    if (bordered) return true;
    if (colour(style.backgroundColor)[3] === 0 || !element.parentElement) return false;
    return behind(element).join() !== behind(element.parentElement).join();
  };
  const kindOf = (link, block, box) => {
    if (link.closest("h1, h2, h3, h4, h5, h6")) return "headline";
    if (link.getAttribute("href").startsWith("#")) return "contents";
    if (block.querySelector("a[href*='/u/'], a[href*='/p/']")) return "footer";
    if (coloured(link) || (box.matches("td, th") && coloured(box) && wordsOf(box) === wordsOf(link) && box.offsetWidth < 0.9 * width)) return "button";
    return "row";
  };
  const thumbs = width < limits.targets.below ? document.querySelectorAll("a[href]") : [];
  for (const link of thumbs) {
    if (!seen(link) || !lines(link).length && !link.querySelector("img") || link.closest("table:has(> thead)")) continue;
    const block = blockOf(link.parentElement);
    const links = [...block.querySelectorAll("a[href]")].filter(seen);
    const rest = links.reduce((words, each) => words.replace(wordsOf(each), ""), wordsOf(block));
    if (/[\p{L}\p{N}▢]/u.test(rest)) continue;
    // The room of a link: its own box; alone in its block, that block, up to the cell that holds nothing else.
    let room = link;
    if (links.length === 1) {
      room = block;
      while (!room.matches("td, th, body") && wordsOf(room.parentElement) === wordsOf(room)) room = room.parentElement;
    }
    const height = Math.max(...[link, room].map((each) => each.getBoundingClientRect().height));
    const kind = kindOf(link, block, room);
    if (height < limits.targets[kind] - 0.5)
      faults.targets.push({ text: `${kind}: ${short(link.innerText || "picture")}`, is: Math.round(height) });
  }

  // --- Words and clauses ---------------------------------------------------------------------------------------------
  // A word of a script that has spaces; an address, or a piece of code, may break anywhere.
  const EAST = "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}";
  const WORD = new RegExp(`(?:(?![${EAST}])[\\p{L}\\p{N}\\p{M}'’]|[.,](?=\\p{N}))+`, "gu");
  const CLAUSE = /(?=[\p{L}\p{N}]*\p{Script=Han})[\p{L}\p{N}]{2,}/gu;
  const inner = (element) => {
    const block = blockOf(element), style = styleOf(block);
    return block.getBoundingClientRect().width - ["paddingLeft", "paddingRight", "borderLeftWidth", "borderRightWidth"]
      .reduce((sum, side) => sum + parseFloat(style[side]), 0);
  };
  const partsOf = (node, expression) =>
    [...node.data.matchAll(expression)].map((match) => {
      const range = document.createRange();
      range.setStart(node, match.index);
      range.setEnd(node, match.index + match[0].length);
      const boxes = lines(range);
      const tops = boxes.map((box) => box.top);
      const broken = Math.max(...tops) - Math.min(...tops) > 2;
      return { word: match[0], at: match.index, broken, wide: boxes.reduce((sum, box) => sum + box.width, 0) };
    });
  const isAddress = (text, at) => {
    const around = text.slice(text.slice(0, at).search(/\S*$/), at) + text.slice(at).match(/^\S*/)[0];
    return /[/@_]|\.[a-z]{2,}/i.test(around);
  };
  for (const { node, element, boxes } of texts) {
    if (boxes.length < 2) continue;
    if (!element.closest("pre, code, kbd"))
      for (const part of partsOf(node, WORD))
        if (part.broken && !isAddress(node.data, part.at)) {
          const fault = { text: part.word.slice(0, 40), is: Math.round(part.wide) };
          faults.words.push(fault);
          if (part.wide <= inner(element) + 0.5) faults["long-words"].push(fault);
        }
    if (element.closest("h1, h2, h3, h4, a[href^='#']"))
      for (const part of partsOf(node, CLAUSE))
        if (part.broken && part.wide <= inner(element) + 0.5)
          faults.clauses.push({ text: part.word.slice(0, 40), is: Math.round(part.wide) });
  }

  const directions = texts.map(({ node, style }) => `${style.direction} ${short(node.data)}`);
  return { ...faults, directions };
}
