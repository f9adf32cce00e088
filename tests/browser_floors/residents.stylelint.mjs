import { residents as browsers } from "./browsers.mjs";

// Known gaps that cost nothing: a fallback stands beside each.
const ignore = ["css-overflow", "css-appearance", "extended-system-fonts", "css-page-break"];

export default {
  plugins: ["stylelint-no-unsupported-browser-features"],
  rules: { "plugin/no-unsupported-browser-features": [true, { browsers, ignore }] },
};
