import compat from "eslint-plugin-compat";

import { residents as browsers } from "./browsers.mjs";

export default [
  {
    files: ["**/*.js"],
    plugins: { compat },
    languageOptions: { ecmaVersion: 5, sourceType: "script" },
    settings: { browsers },
    rules: {
      "compat/compat": "error",
      // ES5 has no catch without a name.
      "no-unused-vars": ["error", { caughtErrors: "none" }],
      eqeqeq: "error",
    },
  },
];
