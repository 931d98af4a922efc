/** What the components say beside the server's own texts. What only the account page says is in `profile/labels.ts`. */

import { en as serverEn, ja as serverJa } from "../texts/catalogue.js";
import type { Locale } from "../texts/index.js";
import type { ProfileLabel } from "./profile/labels.js";

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
  second_title: "Confirm that it is you",
  second_totp: "Enter the 6 digits that your authenticator app shows now.",
  second_recovery_code: "Enter one of your recovery codes. Each works once.",
  second_email: "Have a code sent to your email address, and enter its 6 digits.",
  second_sms: "Have a code sent to your phone, and enter its 6 digits.",
  use_totp: "Use the authenticator app",
  use_recovery_code: "Use a recovery code",
  use_email: "Use a code by mail",
  use_sms: "Use a code by text message",
  factor_code: "Code",
  recovery_code: "Recovery code",
  send_code: "Send me a code",
  factor_code_sent: "A code is on its way.",
  trust_device: "Do not ask again on this browser for {days} days",
  wanting_title: "A second factor is needed",
  second_suspended: serverEn["page.second_factor.suspended"],
  wanting: serverEn["page.factors.wanting"],
  wanting_set_up: serverEn["page.factors.wanting_link"],
  start_again: "Sign in again",
  working: "One moment …",
  slow: "This takes longer than usual. Please wait …",
  try_again: "Try again",
  wait_minutes: "You can try again in {minutes} minutes.",
  wait_seconds: "You can try again in {seconds} seconds.",
  loading: "Loading …",
  account: "Account",
  menu: "Account menu of {email}",
  forgot: "Forgot your password?",
  forgot_refused: "Forgotten, or were you asked to set a new one? You can reset it with a code by mail.",
  reset_title: "Reset the password",
  reset_hint: "We mail a code to this address. With it you choose a new password.",
  reset_send: "Send the code",
  reset_code_hint:
    "If {email} has an account here, we have sent a code to it, and to its recovery address if it has one. The code works for {minutes} minutes.",
  reset_new_title: "Choose a new password",
  reset_new_hint: "For {email}. You will be signed out everywhere and can then sign in with the new password.",
  reset_set: "Set the password",
  reset_done: "The new password is set and you are signed out everywhere. Please sign in with it.",
  reset_again: "Begin again with a new code",
  back_to_sign_in: "Back to sign-in",
};

export type BaseLabel = keyof typeof en;

const ja: Record<BaseLabel, string> = {
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
  second_title: "本人確認",
  second_totp: "認証アプリに表示されている 6 桁の数字を入力してください。",
  second_recovery_code: "回復コードを 1 つ入力してください。各コードは 1 回だけ使えます。",
  second_email: "メールアドレスにコードを送り、届いた 6 桁の数字を入力してください。",
  second_sms: "電話にコードを送り、届いた 6 桁の数字を入力してください。",
  use_totp: "認証アプリを使う",
  use_recovery_code: "回復コードを使う",
  use_email: "メールのコードを使う",
  use_sms: "SMS のコードを使う",
  factor_code: "コード",
  recovery_code: "回復コード",
  send_code: "コードを送る",
  factor_code_sent: "コードをお送りしました。",
  trust_device: "このブラウザーでは {days} 日間、確認を省く",
  wanting_title: "第二要素が必要です",
  second_suspended: serverJa["page.second_factor.suspended"],
  wanting: serverJa["page.factors.wanting"],
  wanting_set_up: serverJa["page.factors.wanting_link"],
  start_again: "もう一度サインインする",
  working: "お待ちください …",
  slow: "通常より時間がかかっています。もうしばらくお待ちください …",
  try_again: "もう一度試す",
  wait_minutes: "{minutes} 分後にもう一度お試しいただけます。",
  wait_seconds: "{seconds} 秒後にもう一度お試しいただけます。",
  loading: "読み込み中 …",
  account: "アカウント",
  menu: "{email} のアカウントメニュー",
  forgot: "パスワードをお忘れの方",
  forgot_refused: "お忘れの場合や、再設定を求められた場合は、メールに届くコードで再設定できます。",
  reset_title: "パスワードの再設定",
  reset_hint: "このアドレスに確認コードをお送りします。コードを入力すると、新しいパスワードを決められます。",
  reset_send: "コードを送る",
  reset_code_hint:
    "{email} のアカウントがあれば、確認コードをお送りしました (回復用アドレスが登録されていれば、そこにもお送りしました)。コードは {minutes} 分間使えます。",
  reset_new_title: "新しいパスワードの設定",
  reset_new_hint:
    "{email} のアカウントです。設定するとすべての端末でサインアウトし、新しいパスワードでサインインできます。",
  reset_set: "パスワードを設定する",
  reset_done:
    "新しいパスワードを設定し、すべての端末でサインアウトしました。新しいパスワードでサインインしてください。",
  reset_again: "新しいコードでやり直す",
  back_to_sign_in: "サインインに戻る",
};

const LABELS: Labels<BaseLabel> = { en, ja };

/** What some components say, complete in each language. */
export type Labels<L extends string> = Readonly<Record<Locale, Readonly<Record<L, string>>>>;

/** A label of every component, or of the account page: that one brings its own, so that nobody else carries them. */
export type Label = BaseLabel | ProfileLabel;

/** The labels that one component brings. */
export type OwnLabels = Readonly<Record<Locale, Readonly<Partial<Record<Label, string>>>>>;

export type Say = (label: Label, values?: Readonly<Record<string, string | number>>) => string;

/** Return the speaker of a language; `own` are the labels that a component brings. */
export function sayIn(locale: Locale, own?: OwnLabels): Say {
  const labels: Partial<Record<Label, string>> = { ...LABELS[locale], ...own?.[locale] };
  return (label, values = {}) =>
    (labels[label] ?? label).replace(/\{([a-z]+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
