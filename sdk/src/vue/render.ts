/** Views as Vue's nodes: handlers by Vue's names, and what an input starts with as an attribute. */

import { h as node, type VNode } from "vue";
import type { Hyperscript } from "../ui/model.js";

const NAMES: Readonly<Record<string, string>> = {
  onsubmit: "onSubmit",
  onclick: "onClick",
  onchange: "onChange",
  onkeydown: "onKeydown",
  oncancel: "onCancel",
  onclose: "onClose",
  // An attribute is only what the field starts with. The property would be set at each drawing, over what was typed.
  initial: "^value",
  chosen: "^selected",
};

export const h: Hyperscript<VNode> = (tag, attributes, ...children) => {
  const props: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (tag === "select" && name === "initial") continue;
    props[NAMES[name] ?? name] = name === "chosen" ? (value ? "" : undefined) : value;
  }
  return node(tag, props, [...children]);
};
