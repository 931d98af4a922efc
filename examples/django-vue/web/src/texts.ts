const en = {
  tasks: "Tasks",
  new_task: "New task",
  add: "Add",
  delete: "Delete",
  empty: "Nothing to do.",
  failed: "That did not work.",
  try_again: "Load again",
};

const ja: typeof en = {
  tasks: "やること",
  new_task: "新しくやること",
  add: "追加",
  delete: "削除",
  empty: "やることはありません。",
  failed: "うまくいきませんでした。",
  try_again: "もう一度読み込む",
};

export const locale = navigator.language.startsWith("ja") ? "ja" : "en";

export const say = (text: keyof typeof en): string => (locale === "ja" ? ja : en)[text];
