// A syntax for stylelint: the style sheets that stand as texts in a script.
import { parse as parseScript } from "espree";
import { stringify } from "postcss";
import parseStyles from "postcss-safe-parser";

const SHEET = /[{][^{}]*[a-z-]+\s*:[^{}]*[}]/;
// Markup, messages, and programs of workers and of the graphics card, which also have braces.
const OTHER_TEXT = /<\/?[a-z]|\[@|=>|==|\bvoid\b|\b[a-z]*vec[234]\b|\bfloat [a-z]/;

function texts(node) {
  if (node.type === "Literal") return typeof node.value === "string" ? [node.value] : [];
  const own = node.type === "TemplateLiteral" ? [node.quasis.map(({ value }) => value.cooked).join("")] : [];
  const parts = Object.values(node).flat().filter((part) => typeof part?.type === "string");
  return own.concat(parts.flatMap(texts));
}

function parse(script, options) {
  const sheets = texts(parseScript(script, { ecmaVersion: 2022 })).filter(
    (text) => SHEET.test(text) && !OTHER_TEXT.test(text),
  );
  // Each apart: a part of a sheet may leave a brace open.
  return parseStyles("", options).append(sheets.flatMap((sheet) => parseStyles(sheet, options).nodes));
}

export default { parse, stringify };
