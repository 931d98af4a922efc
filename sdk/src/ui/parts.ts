/** The parts that forms are drawn from: labels tied to inputs, texts tied to fields, one way to be busy. */

import { type FormState, textAbove, textBeside, type Values } from "./form.js";
import type { Attributes, Child, Drawing } from "./model.js";

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly attributes: Attributes;
}

export function field<N>({ h, id, locale }: Drawing<N>, state: FormState, { name, label, attributes }: Field): N {
  const text = textBeside(state, name, locale);
  const own = `${id}-${name}`;
  return h(
    "div",
    { class: "sekisho-field", key: name },
    h("label", { for: own }, label),
    h("input", {
      id: own,
      name,
      class: "sekisho-input",
      "aria-invalid": text === null ? undefined : "true",
      "aria-describedby": text === null ? undefined : `${own}-text`,
      ...attributes,
    }),
    text === null ? null : h("p", { id: `${own}-text`, class: "sekisho-field-text", role: "alert" }, text),
  );
}

export interface FormView {
  readonly key: string;
  readonly state: FormState;
  readonly fields: readonly string[];
  readonly button: string;
  readonly isDangerous?: boolean;
  readonly onsubmit: (values: Values) => unknown;
}

/** Draw a form around its fields: what went wrong above, the button and what is under way below. */
export function form<N>(drawing: Drawing<N>, view: FormView, children: readonly Child<N>[]): N {
  const { h, locale, say } = drawing;
  const { state, fields } = view;
  const above = textAbove(state, fields, locale, say);
  const isBusy = state.pace !== "still";
  return h(
    "form",
    {
      key: view.key,
      class: "sekisho-form",
      // Ours say it in the person's language, beside the field.
      novalidate: true,
      method: "post",
      "aria-busy": isBusy ? "true" : undefined,
      onsubmit: (event: Event) => {
        event.preventDefault();
        return view.onsubmit(valuesOf(event.currentTarget as HTMLFormElement));
      },
    },
    above === null ? null : h("p", { class: "sekisho-problem", role: "alert", key: "problem" }, above),
    ...children,
    h(
      "button",
      {
        type: "submit",
        key: "submit",
        class: view.isDangerous ? "sekisho-button sekisho-danger" : "sekisho-button",
        "aria-disabled": isBusy ? "true" : undefined,
      },
      state.error?.retryable ? say("try_again") : view.button,
    ),
    said(drawing, state),
  );
}

/** What is under way or was done, said aloud to whoever cannot see it. */
export function said<N>({ h, say }: Drawing<N>, state: FormState): N {
  const text = {
    still: state.done ? say(state.done.label, state.done.values) : "",
    busy: say("working"),
    slow: say("slow"),
  };
  return h("p", { class: "sekisho-said", role: "status", key: "said" }, text[state.pace]);
}

function valuesOf(element: HTMLFormElement): Values {
  const values: Record<string, string> = {};
  new FormData(element).forEach((value, name) => {
    if (typeof value === "string") values[name] = value;
  });
  return values;
}
