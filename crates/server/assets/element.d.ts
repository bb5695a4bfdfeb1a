/** Where the Connect UI shows. */
export type ConnectMode = "inline" | "dialog" | "popup";

/** What was linked. `isPending` when your back end has not confirmed it yet. */
export interface Linked {
  providerConfigKey?: string;
  connectionId?: string;
  isPending?: boolean;
}

/** What proves that this browser has finished: your back end confirms with it. */
export interface Proof {
  authorization: string;
  proof: string;
}

/** What each event has as its `detail`. */
export interface ConnectEvents {
  ready: Record<string, never>;
  select: { providerConfigKey: string };
  submit: { providerConfigKey: string; kind: "test" | "link" | "vendor" };
  test: { stage: string; outcome: "passed" | "failed" | "not_permitted" | "skipped" };
  proof: Proof;
  success: Linked;
  error: { errorType: string; errorMessage: string };
  exit: { reason: "linked" | "closed" | "removed" };
}

export interface ConnectOptions {
  /** The token of a connect session, made by your back end. */
  sessionToken: string;
  /** The address of the Connect UI, such as `https://tombolo.example.com/connect/default/`; beside this module by itself. */
  src?: string;
  /** The key of the integration; asked for when absent. */
  integration?: string;
  lang?: "en" | "ja";
  theme?: "light" | "dark" | "system";
  mode?: "dialog" | "popup";
  /** Passes the proof to your back end. */
  confirm?: (proof: Proof) => void | Promise<unknown>;
  /** Listeners by event. */
  on?: { [Type in keyof ConnectEvents]?: (detail: ConnectEvents[Type]) => void };
  /** Closes it. */
  signal?: AbortSignal;
}

/** Nothing was linked. `type` is that of the last error, or `exit`. */
export class ConnectError extends Error {
  readonly type: string;
}

/** Opens the Connect UI over the page, and answers what was linked. */
export function connect(options: ConnectOptions): Promise<Linked>;

/** `<tombolo-connect>` */
export class TomboloConnect extends HTMLElement {
  src: string;
  sessionToken: string;
  integration: string;
  theme: string;
  mode: ConnectMode;
  readonly isOpen: boolean;
  /** Shows it; a popup has to be opened in a click. */
  open(): void;
  /** Asks the page to close, which asks the person when something was typed. */
  requestClose(): void;
  /** Closes it at once. */
  close(): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "tombolo-connect": TomboloConnect;
  }
}
