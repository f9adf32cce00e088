// The oldest browsers that residents' pages must work in: an Android's WebView in WeChat, and iOS.
export const browsers = ["chrome 61", "ios_saf 11"];
