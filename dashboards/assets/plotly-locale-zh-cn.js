/* Chinese words of the charts' own controls, registered before the first chart is drawn. */
window.PlotlyLocales = window.PlotlyLocales || {};
window.PlotlyLocales["zh-CN"] = {
  moduleType: "locale",
  name: "zh-CN",
  dictionary: {
    "Download plot": "下载图片",
    "Download plot as a PNG": "下载图片（PNG）",
    "Taking snapshot - this may take a few seconds": "正在生成图片，请稍候",
    "Snapshot succeeded": "图片已生成",
    "Sorry, there was a problem downloading your snapshot!": "图片没有生成，请再试一次",
    "Double-click to zoom back out": "双击恢复原图"
  },
  format: {
    days: ["星期日", "星期一", "星期二", "星期三", "星期四", "星期五", "星期六"],
    shortDays: ["周日", "周一", "周二", "周三", "周四", "周五", "周六"],
    months: ["一月", "二月", "三月", "四月", "五月", "六月", "七月", "八月", "九月", "十月", "十一月", "十二月"],
    shortMonths: ["1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"],
    date: "%Y-%m-%d"
  }
};
