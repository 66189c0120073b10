// Names that tests of both dialects use for everything a schema names.

export const hostile = [
  `a"b`,
  `a'b`,
  "a`b",
  "a;b",
  "a]b[",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is to be one if it ever gets out
  "${a}",
  "a\\b",
  "*/ a /*",
  "-- a",
  "a\nb",
  "a\r\nb",
  "select",
  "naïve 表 🌳",
  "\u202ea\u200b",
  "__proto__",
  "constructor",
  "1",
  " ",
  "); DROP TABLE t; --",
  "NEW",
];
