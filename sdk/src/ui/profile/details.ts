/** The name, and the language of mails. */

import type { User } from "../../core/wire.js";
import { type FormState, STILL, type Values } from "../form.js";
import { createModelStore, type Drawing, type ModelStore } from "../model.js";
import { field, form } from "../parts.js";
import { type Desk, formOf } from "./desk.js";

export interface DetailsState {
  readonly form: FormState;
}

export interface DetailsModel extends ModelStore<DetailsState> {
  readonly save: (values: Values) => Promise<void>;
}

const FORM = "details";

export function createDetails({ auth, proven }: Desk): DetailsModel {
  const store = createModelStore<DetailsState>({ form: STILL });
  return {
    ...store,
    save: (values) =>
      proven({
        form: FORM,
        fields: ["name", "locale"],
        optional: ["name"],
        values,
        ...formOf(store),
        send: async () => {
          const { name = "", locale = "" } = values;
          await auth.profile.update({ name, locale });
          return { label: "saved" };
        },
      }),
  };
}

export function detailsSection<N>(drawing: Drawing<N>, state: DetailsState, user: User, model: DetailsModel): N {
  const { h, id, say } = drawing;
  return h(
    "section",
    { class: "sekisho-card", "aria-labelledby": `${id}-profile`, key: "profile" },
    h("h2", { id: `${id}-profile`, class: "sekisho-title" }, say("profile")),
    form(
      drawing,
      { key: FORM, state: state.form, fields: ["name", "locale"], button: say("save"), onsubmit: model.save },
      [
        field(drawing, state.form, {
          name: "name",
          label: say("name"),
          attributes: { type: "text", autocomplete: "name", initial: user.name },
        }),
        h(
          "div",
          { class: "sekisho-field", key: "locale" },
          h("label", { for: `${id}-locale` }, say("locale")),
          h(
            "select",
            { id: `${id}-locale`, name: "locale", class: "sekisho-input", initial: user.locale },
            h("option", { value: "en", lang: "en", chosen: user.locale === "en" }, "English"),
            h("option", { value: "ja", lang: "ja", chosen: user.locale === "ja" }, "日本語"),
          ),
        ),
      ],
    ),
  );
}
