const en = {
  notes: "Notes",
  new_note: "New note",
  add: "Add",
  delete: "Delete",
  empty: "No notes yet.",
  failed: "That did not work.",
  try_again: "Load again",
};

const ja: typeof en = {
  notes: "メモ",
  new_note: "新しいメモ",
  add: "追加",
  delete: "削除",
  empty: "メモはまだありません。",
  failed: "うまくいきませんでした。",
  try_again: "もう一度読み込む",
};

export const locale = navigator.language.startsWith("ja") ? "ja" : "en";

export const say = (text: keyof typeof en): string => (locale === "ja" ? ja : en)[text];
