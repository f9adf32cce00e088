import { staffChrome } from "./browsers.mjs";
import { newerStyles } from "./newer_features.mjs";
import stylesInScripts from "./styles_in_scripts.mjs";

// In styles that bundles bring along: `rect` is that of the old `clip`; without the others it only looks a little
// different where text wraps or scrolls.
const harmless = ["rect", "scrollbar-width", "text-wrap"];
// AG Grid's rules within rules and masks are rewritten by dashboards/assets/chrome_109.js, its colours set in
// dashboards.css; tests/dashboards/test_in_browser.py shows that nothing is left.
const ofGrid = ["mask-image", "mask-position", "mask-repeat", "mask-size", "color-mix"];

export default {
  rules: newerStyles(staffChrome),
  overrides: [
    { files: ["**/*.js"], customSyntax: stylesInScripts, rules: newerStyles(staffChrome, harmless) },
    {
      files: ["**/dash_ag_grid.min.js"],
      rules: { ...newerStyles(staffChrome, [...harmless, ...ofGrid]), "max-nesting-depth": null },
    },
  ],
};
