/** People of the real server: new addresses, and the codes that were mailed to them. */

let people = 0;

export const newEmail = (): string => `person-${process.pid}-${(people += 1)}@mail.test`;

export async function codeFor(server: string, email: string): Promise<string> {
  const mails = (await (await fetch(`${server}/dev/mail.json`)).json()) as { to: string; text: string }[];
  const code = /^ {4}(\d{6})$/m.exec(mails.find((mail) => mail.to === email)?.text ?? "")?.[1];
  if (code === undefined) throw new Error(`no code was mailed to ${email}`);
  return code;
}
