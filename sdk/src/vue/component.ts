/** A component of `ui` as one of Vue. */

import {
  type DefineSetupFnComponent,
  defineComponent,
  h as node,
  onMounted,
  onUnmounted,
  shallowRef,
  useId,
  type VNode,
  watch,
} from "vue";
import { type OwnLabels, sayIn } from "../ui/labels.js";
import { createModal } from "../ui/modal.js";
import type { Component, Drawing, Model } from "../ui/model.js";
import { useGiven } from "./context.js";
import { h } from "./render.js";

/** Return what makes the drawing of this moment; the language may change. */
export function useDrawing(labels?: OwnLabels): () => Drawing<VNode> {
  const { locale } = useGiven();
  const id = useId() ?? "sekisho";
  return () => ({ h, id, locale: locale.value, say: sayIn(locale.value, labels) });
}

/** An interface as a type with an index, which Vue wants of props. */
export type Taken<P> = { [K in keyof P]: P[K] };

export type VueComponent<P> = DefineSetupFnComponent<Taken<P>>;

/** `props`: the names that the component takes. */
export function toVue<P extends object, S, M extends Model<S>>(
  component: Component<P, S, M>,
  props: readonly (keyof P & string)[],
): VueComponent<P> {
  const shown = defineComponent(
    (given: Taken<P>) => {
      const { client } = useGiven();
      const drawing = useDrawing(component.labels);
      const modal = createModal();
      const root = shallowRef<HTMLElement | null>(null);
      const model = component.create(client, () => given);
      const state = shallowRef((model.getServerSnapshot ?? model.getSnapshot)());
      const follow = () => {
        state.value = model.getSnapshot();
      };
      let leave = () => {};
      onMounted(() => {
        leave = model.subscribe(follow);
        follow();
        model.start?.();
      });
      onUnmounted(() => leave());
      watch(state, () => modal(root.value), { flush: "post" });
      watch(
        () => component.focusOf(state.value),
        (focus) => {
          if (focus) root.value?.querySelector<HTMLElement>(focus.selector)?.focus();
        },
        { flush: "post" },
      );
      return () => {
        const now = drawing();
        return node("div", { ref: root, class: "sekisho", lang: now.locale }, [
          component.view(now, state.value, model, given),
        ]);
      };
    },
    { name: component.name, props: [...props] },
  );
  return shown as unknown as VueComponent<P>;
}
