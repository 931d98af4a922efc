/** What the sections of the account page work with. */

import type { AuthClient } from "../../core/client.js";
import { type Done, type FormState, type Submission, submit } from "../form.js";
import type { ModelStore } from "../model.js";

export interface Desk {
  readonly auth: AuthClient;
  /** Submit; where the server wants a fresher proof, that is asked for and the same sent once more. */
  readonly proven: (asked: Submission) => Promise<void>;
  /** The account changed: what other sections show of it is loaded again. */
  readonly changed: () => void;
}

/** The state of every section: what its form or its buttons are at. */
export interface SectionState {
  readonly form: FormState;
}

/** Return where a section keeps its form. */
export function formOf<S extends SectionState>(
  store: Pick<ModelStore<S>, "getSnapshot" | "change">,
): Pick<Submission, "get" | "set"> {
  return {
    get: () => store.getSnapshot().form,
    set: (form) => store.change({ form } as Partial<S>),
  };
}

/** Load what a section shows. What it is refused for stands in the section. */
export const loadInto = <S extends SectionState>(store: ModelStore<S>, load: () => Promise<Done>): Promise<void> =>
  submit({ fields: [], values: {}, ...formOf(store), send: load });
