/** People of the real server: new addresses, and the codes that were mailed to them. */

let people = 0;

export const newEmail = (): string => `person-${process.pid}-${(people += 1)}@mail.test`;

export function codeFor(server: string, email: string): Promise<string> {
  return inNewestMail(server, email, /^ {4}(\d{6})$/m);
}

/** Return the code for "that was not me" of the newest mail to this address. */
export function warningCodeFor(server: string, email: string): Promise<string> {
  return inNewestMail(server, email, /^ {4}([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})$/m);
}

async function inNewestMail(server: string, email: string, form: RegExp): Promise<string> {
  const mails = (await (await fetch(`${server}/dev/mail.json`)).json()) as { to: string; text: string }[];
  const code = form.exec(mails.find((mail) => mail.to === email)?.text ?? "")?.[1];
  if (code === undefined) throw new Error(`no code was mailed to ${email}`);
  return code;
}

/** A person who holds a token outside of any browser: signs up, or signs in where the address is known already. */
export async function tokenOf(server: string, email: string, password: string): Promise<string> {
  const post = async (path: string, body: object) =>
    (await (
      await fetch(`${server}/api/v1/auth${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ email, client_id: "elsewhere", ...body }),
      })
    ).json()) as { access_token?: string; pending?: string };
  const known = await post("/login", { password });
  if (known.access_token) return known.access_token;
  const { pending } = await post("/signup/send-code", { password });
  const pair = await post("/signup/verify-code", { pending, code: await codeFor(server, email) });
  if (!pair.access_token) throw new Error(`no token for ${email}: ${JSON.stringify(pair)}`);
  return pair.access_token;
}

/** End every other session of the person: what a click on another device does. */
export async function endOtherSessions(server: string, email: string, password: string): Promise<void> {
  const answer = await fetch(`${server}/api/v1/auth/sessions/logout-all`, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${await tokenOf(server, email, password)}`,
      "Content-Type": "application/json",
    },
    body: JSON.stringify({ except_current: true }),
  });
  if (!answer.ok) throw new Error(`the sessions of ${email} were not ended: ${await answer.text()}`);
}
