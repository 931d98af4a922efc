/** The button that opens a form in its place, and closes it again. */

import type { Drawing } from "../model.js";
import { quiet } from "../parts.js";

export interface Opener {
  /** The place to which the focus comes back. */
  readonly name: string;
  readonly label: string;
  /** What is opened, for whoever does not see what stands beside the button. */
  readonly about: string;
  readonly isOpen: boolean;
  readonly model: { readonly open: () => void; readonly cancel: () => void };
}

export function opener<N>(drawing: Drawing<N>, { name, label, about, isOpen, model }: Opener): N {
  return quiet(drawing, isOpen ? drawing.say("cancel") : label, isOpen ? model.cancel : model.open, "open", {
    "data-place": name,
    "aria-expanded": isOpen ? "true" : "false",
    "aria-label": isOpen ? undefined : about,
  });
}
