/** The parts that forms are drawn from: labels tied to inputs, texts tied to fields, one way to be busy. */

import { type FormState, textAbove, textBeside, textOf, type Values } from "./form.js";
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
  /** Where the component looks for its fields, too. */
  readonly key: string;
  readonly state: FormState;
  readonly fields: readonly string[];
  readonly button: string;
  readonly isDangerous?: boolean;
  /** `clear` empties the fields. */
  readonly onsubmit: (values: Values, clear: () => void) => unknown;
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
      "data-form": view.key,
      class: "sekisho-form",
      // Ours say it in the person's language, beside the field.
      novalidate: true,
      method: "post",
      "aria-busy": isBusy ? "true" : undefined,
      onsubmit: (event: Event) => {
        event.preventDefault();
        const element = event.currentTarget as HTMLFormElement;
        return view.onsubmit(valuesOf(element), () => element.reset());
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

/** Draw what an action without fields was refused for. */
export function complaint<N>({ h, locale, say }: Drawing<N>, { error }: FormState): N | null {
  return error ? h("p", { class: "sekisho-problem", role: "alert" }, textOf(error, locale, say)) : null;
}

export function quiet<N>(
  { h }: Drawing<N>,
  label: string,
  onclick: () => unknown,
  key: string,
  more: Attributes = {},
): N {
  return h("button", { type: "button", class: "sekisho-button sekisho-quiet", onclick, key, ...more }, label);
}

/** Draw the field for a code that was mailed. */
export function mailedCode<N>(drawing: Drawing<N>, state: FormState): N {
  return field(drawing, state, {
    name: "code",
    label: drawing.say("code"),
    attributes: {
      type: "text",
      autocomplete: "one-time-code",
      inputmode: "numeric",
      required: true,
      class: "sekisho-input sekisho-code",
    },
  });
}

/** Tells a password manager whose password is asked for. */
export function whose<N>({ h }: Drawing<N>, email: string): N {
  return h("input", {
    type: "text",
    name: "email",
    autocomplete: "username",
    initial: email,
    readonly: true,
    hidden: true,
    key: "whose",
  });
}

/** Passwords may be looked at while they are typed. The box acts on the fields itself; nothing else needs to know. */
export function reveal<N>({ h, id, say }: Drawing<N>, names: readonly string[]): N {
  const onchange = (event: Event) => {
    const box = event.currentTarget as HTMLInputElement;
    for (const name of names) {
      const input = box.form?.elements.namedItem(name);
      if (input instanceof HTMLInputElement) input.type = box.checked ? "text" : "password";
    }
  };
  return h(
    "label",
    { class: "sekisho-check", for: `${id}-show`, key: "show" },
    h("input", { id: `${id}-show`, type: "checkbox", onchange }),
    say("show_password"),
  );
}

function valuesOf(element: HTMLFormElement): Values {
  const values: Record<string, string> = {};
  new FormData(element).forEach((value, name) => {
    if (typeof value === "string") values[name] = value;
  });
  return values;
}
