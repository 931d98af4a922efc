/** An access token in memory, with what its own holder may read of it. */

import { type SessionInfo, sessionInfo } from "./state.js";
import type { Pair } from "./wire.js";

export interface AccessToken {
  readonly value: string;
  readonly session: SessionInfo;
  /** By the server's clock, in milliseconds. */
  readonly expiresAt: number;
  /** From here on it is renewed before it is used again: at about 80 % of its life, not at once in every tab. */
  readonly renewAt: number;
}

/** Return the token of an answer, or undefined where the transport has none. */
export function tokenOf(pair: Pair, serverNow: number, random: number): AccessToken | undefined {
  if (!pair.access_token) return undefined;
  const life = pair.expires_in * 1000;
  return {
    value: pair.access_token,
    session: sessionIn(pair.access_token, pair.acr_required),
    expiresAt: serverNow + life,
    renewAt: serverNow + life * (0.75 + 0.1 * random),
  };
}

/** The server made this token for us a moment ago; whether it is genuine is for APIs to check, never for a browser. */
function sessionIn(token: string, acr_required: string | undefined): SessionInfo {
  const body = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
  const claims = JSON.parse(atob(body)) as { sid: string; client_id: string; amr: string[] };
  const { sid: id, client_id, amr } = claims;
  return sessionInfo({ id, client_id, amr, ...(acr_required === undefined ? {} : { acr_required }) });
}
