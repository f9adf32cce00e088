// The oldest browsers that residents' pages must work in: an Android's WebView in WeChat, and iOS.
export const residents = ["chrome 61", "ios_saf 11"];
// The oldest for staff pages and dashboards: the last Chrome for Windows 7, which offices' other browsers are built on.
export const staffChrome = 109;
