/** The notice above the account page while a second factor is required that this session has not shown, with the way to it. */

import type { FactorList } from "../../core/wire.js";
import type { Drawing } from "../model.js";
import { complaint } from "../parts.js";
import type { FactorModel } from "./factors.js";
import { type StepUpModel, type StepUpState, strongKinds } from "./step_up.js";

interface Ways {
  readonly factors: FactorModel;
  readonly stepUp: StepUpModel;
}

export function wantingNotice<N>(drawing: Drawing<N>, list: FactorList | null, state: StepUpState, ways: Ways): N {
  const { h, id, say } = drawing;
  const hasOne = list !== null && strongKinds(list).length > 0;
  const button = (label: string, onclick: () => unknown) =>
    h("button", { type: "button", class: "sekisho-button", onclick }, label);
  return h(
    "section",
    { class: "sekisho-card", "aria-labelledby": `${id}-wanting`, key: "wanting" },
    h("h2", { id: `${id}-wanting`, class: "sekisho-title" }, say("wanting_title")),
    h("p", {}, say("wanting")),
    state.waiting ? null : complaint(drawing, state.form),
    hasOne ? button(say("wanting_show"), ways.stepUp.raise) : setUp(drawing, list, ways, button),
  );
}

/** What the server offers decides which way leads there; without any the sentence has to do. */
function setUp<N>(
  { say }: Drawing<N>,
  list: FactorList | null,
  { factors }: Ways,
  button: (label: string, onclick: () => unknown) => N,
): N | null {
  const available = list?.available ?? [];
  if (available.includes("totp")) return button(say("wanting_set_up"), () => factors.enrol("totp"));
  return available.includes("sms") ? button(say("wanting_set_up"), factors.beginPhone) : null;
}
