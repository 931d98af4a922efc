/** What a component is, before any framework: a small store with actions, and a view of it. */

import type { AuthClient } from "../core/client.js";
import type { Locale } from "../texts/index.js";
import type { Focus } from "./form.js";
import type { OwnLabels, Say } from "./labels.js";

export interface Model<S> {
  readonly getSnapshot: () => S;
  readonly subscribe: (listener: () => void) => () => void;
  /** What a page rendered on a server shows, where that differs. */
  readonly getServerSnapshot?: () => S;
  /** Called when the component is on the page. */
  readonly start?: () => void;
}

export interface ModelStore<S> extends Model<S> {
  readonly change: (part: Partial<S>) => void;
}

export function createModelStore<S extends object>(first: S): ModelStore<S> {
  let state = first;
  const listeners = new Set<() => void>();
  return {
    getSnapshot: () => state,
    subscribe: (listener) => {
      const own = () => listener();
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    change: (part) => {
      state = { ...state, ...part };
      for (const listener of [...listeners]) listener();
    },
  };
}

/** Attributes by their HTML names, handlers as `onclick`, what an input starts with as `initial`. */
export type Attributes = Readonly<Record<string, unknown>>;
export type Child<N> = N | string | null;
export type Hyperscript<N> = (tag: string, attributes: Attributes, ...children: readonly Child<N>[]) => N;

export interface Drawing<N> {
  readonly h: Hyperscript<N>;
  /** Unique on the page. */
  readonly id: string;
  readonly locale: Locale;
  readonly say: Say;
}

/** `P`: the props of the component. `S`: the state that its view shows; `focus` in it asks for the cursor. */
export interface Component<P, S, M extends Model<S>> {
  readonly name: string;
  /** What only this one says. */
  readonly labels?: OwnLabels;
  readonly create: (auth: AuthClient, props: () => P) => M;
  readonly view: <N>(drawing: Drawing<N>, state: S, model: M, props: P) => N;
  readonly focusOf: (state: S) => Focus | null;
}
