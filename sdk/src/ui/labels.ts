/** What the components say beside the server's own texts. */

import type { Locale } from "../texts/index.js";

const en = {
  sign_in: "Sign in",
  sign_in_title: "Sign in",
  sign_up: "Create account",
  sign_up_title: "Create an account",
  sign_out: "Sign out",
  email: "Email address",
  password: "Password",
  new_password: "Choose a password",
  show_password: "Show the password",
  code: "Code from the mail",
  code_title: "Look into your mail",
  code_hint: "We sent a code to {email}. It works for {minutes} minutes.",
  confirm: "Confirm",
  resend: "Send a new code",
  resent: "A new code is on its way. The earlier one no longer works.",
  change_email: "Change the address",
  no_account: "No account yet?",
  has_account: "Already have an account?",
  second_factor: "This account asks for a second factor, which cannot be entered here.",
  working: "One moment …",
  slow: "This takes longer than usual. Please wait …",
  try_again: "Try again",
  wait_minutes: "You can try again in {minutes} minutes.",
  wait_seconds: "You can try again in {seconds} seconds.",
  loading: "Loading …",
  profile: "Profile",
  name: "Name",
  locale: "Language of mails",
  save: "Save",
  saved: "Saved.",
  sessions: "Signed-in devices",
  this_device: "This device",
  unknown_device: "Unknown device",
  last_seen: "Last used {at}",
  end: "Sign out",
  end_of: "Sign out {device}",
  end_others: "Sign out all other devices",
  ended: "The device is signed out.",
  ended_others: "Signed out on other devices: {count}",
  withdrawal: "Close the account",
  withdrawal_hint:
    "This ends every session and erases your personal data. It cannot be undone. Enter your password to confirm.",
  withdraw: "Close the account for good",
  account: "Account",
  menu: "Account menu of {email}",
};

export type Label = keyof typeof en;

const ja: Record<Label, string> = {
  sign_in: "サインイン",
  sign_in_title: "サインイン",
  sign_up: "アカウントを作成",
  sign_up_title: "アカウントの作成",
  sign_out: "サインアウト",
  email: "メールアドレス",
  password: "パスワード",
  new_password: "パスワードを決めてください",
  show_password: "パスワードを表示する",
  code: "メールに届いた確認コード",
  code_title: "メールをご確認ください",
  code_hint: "{email} に確認コードをお送りしました。コードは {minutes} 分間使えます。",
  confirm: "確認する",
  resend: "新しいコードを送る",
  resent: "新しいコードをお送りしました。前のコードは使えなくなりました。",
  change_email: "メールアドレスを変更する",
  no_account: "アカウントをお持ちでない方",
  has_account: "アカウントをお持ちの方",
  second_factor: "このアカウントには二要素認証が必要ですが、この画面では入力できません。",
  working: "お待ちください …",
  slow: "通常より時間がかかっています。もうしばらくお待ちください …",
  try_again: "もう一度試す",
  wait_minutes: "{minutes} 分後にもう一度お試しいただけます。",
  wait_seconds: "{seconds} 秒後にもう一度お試しいただけます。",
  loading: "読み込み中 …",
  profile: "プロフィール",
  name: "名前",
  locale: "メールの言語",
  save: "保存",
  saved: "保存しました。",
  sessions: "サインイン中の端末",
  this_device: "この端末",
  unknown_device: "不明な端末",
  last_seen: "最後の利用: {at}",
  end: "サインアウト",
  end_of: "{device} をサインアウトする",
  end_others: "ほかの端末をすべてサインアウト",
  ended: "端末をサインアウトしました。",
  ended_others: "サインアウトしたほかの端末: {count} 台",
  withdrawal: "退会",
  withdrawal_hint:
    "すべての端末でサインアウトし、個人データを消去します。取り消すことはできません。確認のためパスワードを入力してください。",
  withdraw: "退会する",
  account: "アカウント",
  menu: "{email} のアカウントメニュー",
};

const LABELS: Record<Locale, Record<Label, string>> = { en, ja };

export type Say = (label: Label, values?: Readonly<Record<string, string | number>>) => string;

/** Return the speaker of a language. */
export const sayIn =
  (locale: Locale): Say =>
  (label, values = {}) =>
    LABELS[locale][label].replace(/\{([a-z]+)\}/g, (whole, name: string) => String(values[name] ?? whole));
