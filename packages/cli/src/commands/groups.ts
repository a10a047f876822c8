/** First words that are no commands of their own. */
export const groups: Readonly<Record<string, string>> = {
  config: "Work on the configuration.",
  export: "Export for analytics.",
  mail: "Try OpenEMR's mail.",
  notify: "Notify people of jobs by hand or by a timer.",
  rotate: "Replace credentials of a live OpenEMR.",
};
