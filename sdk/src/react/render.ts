/** Views as React elements: HTML's names become React's. */

import { createElement, type ReactElement } from "react";
import type { Hyperscript } from "../ui/model.js";

const NAMES: Readonly<Record<string, string | null>> = {
  class: "className",
  for: "htmlFor",
  autocomplete: "autoComplete",
  autocapitalize: "autoCapitalize",
  spellcheck: "spellCheck",
  inputmode: "inputMode",
  novalidate: "noValidate",
  readonly: "readOnly",
  onsubmit: "onSubmit",
  onclick: "onClick",
  onchange: "onChange",
  onkeydown: "onKeyDown",
  oncancel: "onCancel",
  onclose: "onClose",
  tabindex: "tabIndex",
  datetime: "dateTime",
  initial: "defaultValue",
  // A select says it by what it starts with.
  chosen: null,
};

export const h: Hyperscript<ReactElement> = (tag, attributes, ...children) => {
  const props: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(attributes)) {
    const named = NAMES[name] === undefined ? name : NAMES[name];
    if (named !== null) props[named] = value;
  }
  return createElement(tag, props, ...children);
};
