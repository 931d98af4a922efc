/** A component of `ui` as one of React. */

import {
  createElement,
  type FunctionComponent,
  type ReactElement,
  useEffect,
  useId,
  useMemo,
  useRef,
  useSyncExternalStore,
} from "react";
import type { Locale } from "../texts/index.js";
import { type OwnLabels, sayIn } from "../ui/labels.js";
import { createModal } from "../ui/modal.js";
import type { Component, Drawing, Model } from "../ui/model.js";
import { useClient, useLocale } from "./context.js";
import { h } from "./render.js";

export function useDrawing(labels?: OwnLabels): Drawing<ReactElement> {
  const id = useId();
  const locale: Locale = useLocale();
  return useMemo(() => ({ h, id, locale, say: sayIn(locale, labels) }), [id, locale, labels]);
}

export function toReact<P extends object, S, M extends Model<S>>(component: Component<P, S, M>): FunctionComponent<P> {
  const Shown = (props: P): ReactElement => {
    const client = useClient();
    const drawing = useDrawing(component.labels);
    const root = useRef<HTMLDivElement>(null);
    const latest = useRef(props);
    const modal = useRef(createModal());
    const model = useMemo(() => component.create(client, () => latest.current), [client]);
    const state = useSyncExternalStore(
      model.subscribe,
      model.getSnapshot,
      model.getServerSnapshot ?? model.getSnapshot,
    );
    const focus = component.focusOf(state);

    useEffect(() => {
      latest.current = props;
    });
    useEffect(() => model.start?.(), [model]);
    useEffect(() => modal.current(root.current));
    useEffect(() => {
      if (focus) root.current?.querySelector<HTMLElement>(focus.selector)?.focus();
    }, [focus]);

    const view = component.view(drawing, state, model, props);
    return createElement("div", { ref: root, className: "sekisho", lang: drawing.locale }, view);
  };
  Shown.displayName = component.name;
  return Shown;
}
