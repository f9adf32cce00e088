import { staffChrome } from "./browsers.mjs";
import { newerApis } from "./newer_features.mjs";

// What is newer than the floor is known by its name alone. In what is served, these names are no such thing, or no harm.
const supplied = ["canParse"]; // by dashboards/assets/chrome_109.js
const asked = ["toWellFormed"]; // plotly asks first whether there is one
const ownSets = ["union", "intersection", "difference", "symmetricDifference"]; // Mantine and plotly bring their own
const ownNames = "batchUpdate dispose drop grow isError maxColorAttachments move resizable resize sampleCount setViewport toArray use";

export default [
  {
    files: ["**/*.js"],
    linterOptions: { noInlineConfig: true },
    languageOptions: { ecmaVersion: 2022, sourceType: "script" },
    rules: newerApis(staffChrome, [...supplied, ...asked, ...ownSets, ...ownNames.split(" ")]),
  },
];
