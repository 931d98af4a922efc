/** What an enrolment shows: the key and its picture, then the recovery codes, this once. */

import type { Enrolment } from "../../core/wire.js";
import { codeField } from "../methods.js";
import type { Drawing } from "../model.js";
import { complaint, field, form, quiet, said } from "../parts.js";
import type { FactorModel, FactorState } from "./factors.js";

/** Ask for the number that codes are to go to, and say what such codes are worth. */
export function phoneStep<N>(drawing: Drawing<N>, state: FactorState, model: FactorModel): N {
  const { h, say } = drawing;
  return h(
    "div",
    { key: "phone-step" },
    h("p", { class: "sekisho-hint" }, say("phone_hint")),
    form(
      drawing,
      { key: "phone", state: state.form, fields: ["phone"], button: say("send_code"), onsubmit: model.enrolPhone },
      [
        field(drawing, state.form, {
          name: "phone",
          label: say("phone"),
          attributes: { type: "tel", autocomplete: "tel", required: true },
        }),
      ],
    ),
    cancelLine(drawing, model),
  );
}

export function enrolmentStep<N>(drawing: Drawing<N>, state: FactorState, enrolment: Enrolment, model: FactorModel): N {
  const { h, say } = drawing;
  const { secret, uri, qr } = enrolment;
  const src = qr === undefined ? "" : `data:image/svg+xml;utf8,${encodeURIComponent(qr)}`;
  return h(
    "div",
    { key: "enrolment" },
    h("p", { class: "sekisho-hint" }, howTo(drawing, enrolment)),
    src ? h("img", { class: "sekisho-qr", src, alt: say("qr"), width: "220", height: "220" }) : null,
    secret === undefined
      ? null
      : h(
          "p",
          { class: "sekisho-key" },
          h("span", {}, say("key")),
          h("code", {}, inGroups(secret)),
          quiet(drawing, say("copy"), () => model.copy(secret), "copy", { "data-place": "copy" }),
        ),
    uri === undefined
      ? null
      : h("p", { class: "sekisho-other" }, h("a", { class: "sekisho-link", href: uri }, say("open_app"))),
    form(
      drawing,
      { key: "confirm", state: state.form, fields: ["code"], button: say("confirm"), onsubmit: model.confirm },
      [codeField(drawing, state.form, enrolment.kind)],
    ),
    cancelLine(drawing, model),
  );
}

function howTo<N>({ say }: Drawing<N>, { secret, number }: Enrolment): string {
  if (secret !== undefined) return say("scan");
  return number === undefined ? say("mail_sent") : say("text_sent", { number });
}

function cancelLine<N>({ h, say }: Drawing<N>, model: FactorModel): N {
  return h(
    "p",
    { class: "sekisho-other", key: "cancel-line" },
    h("button", { type: "button", class: "sekisho-link", onclick: model.cancel, key: "cancel" }, say("cancel")),
  );
}

/** As people read it to themselves while they type. */
const inGroups = (secret: string): string => secret.replace(/(.{4})(?=.)/g, "$1 ");

export interface ShownCodes {
  readonly codes: readonly string[];
  /** Whose they are: a printed sheet is found again much later. */
  readonly email: string;
}

export function codesStep<N>(
  drawing: Drawing<N>,
  state: FactorState,
  { codes, email }: ShownCodes,
  model: FactorModel,
): N {
  const { h, id, say } = drawing;
  const text = codes.join("\n");
  const file = `${say("recovery_title")}\n${email}\n\n${text}\n`;
  return h(
    "div",
    { key: "codes", class: "sekisho-recovery", role: "group", "aria-labelledby": `${id}-recovery` },
    h("h3", { id: `${id}-recovery`, class: "sekisho-subtitle" }, say("recovery_title")),
    h("p", { class: "sekisho-printed" }, email),
    h("p", { class: "sekisho-hint" }, say("recovery_hint")),
    h("ol", { class: "sekisho-codes" }, ...codes.map((code) => h("li", { key: code }, h("code", {}, code)))),
    complaint(drawing, state.form),
    h(
      "div",
      { class: "sekisho-choices" },
      quiet(drawing, say("copy"), () => model.copy(text), "copy", { "data-place": "copy" }),
      h(
        "a",
        {
          class: "sekisho-button sekisho-quiet",
          href: `data:text/plain;charset=utf-8,${encodeURIComponent(file)}`,
          download: "recovery-codes.txt",
          key: "download",
        },
        say("download"),
      ),
      quiet(drawing, say("print"), () => window.print(), "print"),
    ),
    said(drawing, state.form),
    h(
      "div",
      { class: "sekisho-choices" },
      h("button", { type: "button", class: "sekisho-button", onclick: model.cancel }, say("recovery_done")),
    ),
  );
}
