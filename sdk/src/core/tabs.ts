/** Tabs of one app tell each other: signed in, signed out, new token, new profile. Nobody waits for anybody here. */

import type { Engine, Entry } from "./engine.js";
import type { Channel, Ports } from "./ports.js";
import type { SessionInfo } from "./state.js";
import type { AccessToken } from "./token.js";
import type { User } from "./wire.js";

export type Message =
  | ({ readonly type: "signed_in" } & Entry)
  | { readonly type: "signed_out"; readonly session: string }
  | { readonly type: "token"; readonly token: AccessToken }
  | { readonly type: "user"; readonly user: User; readonly session?: SessionInfo };

export interface Tabs {
  readonly open: () => void;
  readonly post: (message: Message) => void;
  readonly close: () => void;
}

export function createTabs(ports: Ports, name: string, engine: () => Engine): Tabs {
  let channel: Channel | undefined;
  const open = () => {
    channel ??= ports.openChannel(name, (message) => hear(engine(), message as Message));
  };
  return {
    open,
    post: (message) => {
      open();
      channel?.post(message);
    },
    close: () => {
      channel?.close();
      channel = undefined;
    },
  };
}

function hear(engine: Engine, message: Message): void {
  switch (message.type) {
    case "signed_in":
      if (engine.believed() !== message.session.id) engine.enterAsTold(message);
      else if (message.token) adopt(engine, message.token);
      return;
    case "signed_out":
      engine.leaveAsTold(message.session);
      return;
    case "token":
      adopt(engine, message.token);
      return;
    case "user":
      if (engine.store.get().user?.id === message.user.id) engine.setUser(message.user, message.session);
  }
}

/** A message that comes late may bring an older token: it is good for the same session, and renewed in its time. */
function adopt(engine: Engine, token: AccessToken): void {
  if (engine.believed() === token.session.id) engine.setToken(token);
}
