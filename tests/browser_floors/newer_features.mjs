// What Chrome learned after a version, as MDN's data say, in rules of stylelint and ESLint that refuse it.
import data from "@mdn/browser-compat-data" with { type: "json" };

const STYLE_NAME = /^[a-z-]+$/;
// Of what browsers offer beside the language: a name of one word is too often something of a library's own.
const WORDS = /[a-z][A-Z]/;

function supports(feature, version) {
  return [feature.__compat?.support.chrome ?? []].flat().some((entry) => {
    const isPlain = !entry.prefix && !entry.alternative_name && !entry.flags;
    return isPlain && Number.parseInt(String(entry.version_added).replace("≤", ""), 10) <= version;
  });
}

function isNewer(feature, version) {
  return supports(feature, Infinity) && !supports(feature, version);
}

export function newerStyles(version, knownNames = []) {
  const { "at-rules": atRules, properties, selectors, types } = data.css;
  const isRefused = ([name, feature]) =>
    STYLE_NAME.test(name) && isNewer(feature, version) && !knownNames.includes(name);
  const newer = (group) => Object.entries(group).filter(isRefused).map(([name]) => name);
  const functions = [types, ...Object.values(types)].flatMap(newer).map((name) => name.replace(/-function$/, ""));
  const values = Object.entries(properties)
    .filter(([property]) => !knownNames.includes(property))
    .map(([property, group]) => [property, newer(group)]);
  return {
    "at-rule-disallowed-list": newer(atRules),
    "property-disallowed-list": newer(properties).map((name) => `/^${name}$/`),
    "declaration-property-value-disallowed-list": Object.fromEntries(values.filter(([, names]) => names.length)),
    "function-disallowed-list": functions,
    "unit-disallowed-list": newer(types.length),
    "media-feature-name-disallowed-list": newer(atRules.media),
    "selector-pseudo-class-disallowed-list": newer(selectors),
    "selector-pseudo-element-disallowed-list": newer(selectors),
    // Rules within rules.
    "max-nesting-depth": isNewer(selectors.nesting, version) ? 0 : null,
  };
}

export function newerApis(version, knownNames) {
  const named = (groups) =>
    Object.entries(groups).flatMap(([owner, group]) =>
      Object.entries(group).map(([name, feature]) => {
        return { owner, name: name.replace("_static", ""), isStatic: name.endsWith("_static"), feature };
      }),
    );
  const [language, browser] = [named(data.javascript.builtins), named(data.api)];
  const older = new Set([...language, ...browser].filter(({ feature }) => supports(feature, version)).map(({ name }) => name));
  const isRefused = ({ name, feature }) => isNewer(feature, version) && !knownNames.includes(name);
  const statics = browser.filter((member) => member.isStatic && isRefused(member));
  const names = [
    ...language,
    // Descriptors of styles have the names of properties.
    ...browser.filter(({ owner, name, isStatic }) => !isStatic && WORDS.test(name) && !owner.startsWith("CSS")),
  ].filter((member) => isRefused(member) && !older.has(member.name) && !member.name.includes("_"));
  return {
    "no-restricted-globals": ["error", ...Object.keys(data.api).filter((name) => isNewer(data.api[name], version))],
    "no-restricted-properties": [
      "error",
      ...statics.map(({ owner, name }) => ({ object: owner, property: name })),
      ...[...new Set(names.map(({ name }) => name))].map((property) => ({ property })),
    ],
  };
}
