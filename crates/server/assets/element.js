// <tombolo-connect>: your users link their accounts within your pages. See docs/embedding.md, and element.d.ts for types.

const SHEET = new CSSStyleSheet();
SHEET.replaceSync(`
:host { display: block; }
:host([hidden]) { display: none; }
iframe { display: block; width: 100%; height: 100%; min-height: 24rem; border: 0; background: transparent; color-scheme: normal; }
dialog { width: min(46rem, 100vw); height: min(52rem, 100dvh); max-width: none; max-height: none; padding: 0; border: 0; border-radius: 1rem; overflow: hidden; background: Canvas; }
dialog::backdrop { background: #0009; }
@media (max-width: 40rem) { dialog { width: 100vw; height: 100dvh; border-radius: 0; } }
`);
const TITLES = { en: "Connect an account", ja: "アカウントの接続" };
const FEATURES = "popup,width=760,height=860";
/** How long the last page of a dialog stays, in milliseconds. */
const FAREWELL = 2000;

export class TomboloConnect extends HTMLElement {
  static observedAttributes = ["session-token"];

  #root = this.attachShadow({ mode: "open" });
  #frame;
  #dialog;
  #popup;
  #token = "";
  #isReady = false;
  #isLinked = false;
  #heard = (event) => this.#hear(event);

  constructor() {
    super();
    this.#root.adoptedStyleSheets = [SHEET];
  }

  /** The address of the Connect UI of an environment; that of the environment `default` beside this module by itself. */
  get src() {
    const wanted = new URL(this.getAttribute("src") ?? "default/", this.hasAttribute("src") ? document.baseURI : import.meta.url);
    if (!wanted.pathname.endsWith("/")) wanted.pathname += "/";
    return wanted.href;
  }
  set src(value) { this.setAttribute("src", value); }

  /** The token of a connect session. As a property it stands in no attribute. */
  get sessionToken() { return this.#token || (this.getAttribute("session-token") ?? ""); }
  set sessionToken(value) {
    this.#token = value ?? "";
    this.#begin();
  }

  get integration() { return this.getAttribute("integration") ?? ""; }
  set integration(value) { this.setAttribute("integration", value); }
  get theme() { return this.getAttribute("theme") ?? ""; }
  set theme(value) { this.setAttribute("theme", value); }
  /** Where it shows: `inline`, `dialog` or `popup`. */
  get mode() { return ["dialog", "popup"].find((mode) => mode === this.getAttribute("mode")) ?? "inline"; }
  set mode(value) { this.setAttribute("mode", value); }
  get isOpen() { return Boolean(this.#frame || this.#popup); }

  connectedCallback() { this.#begin(); }
  disconnectedCallback() { this.#end("removed"); }
  attributeChangedCallback() { this.#begin(); }

  #begin() {
    if (!this.isConnected || !this.sessionToken) return;
    if (this.isOpen) this.#sendToken();
    else if (this.mode === "inline") this.open();
  }

  /** Shows it. A popup has to be opened in a click; where the browser blocks it, a dialog stands in its place. */
  open() {
    if (this.isOpen && !this.#popup?.closed) return;
    this.#end("closed");
    window.addEventListener("message", this.#heard);
    this.#isLinked = false;
    if (this.mode === "popup") {
      this.#popup = window.open(this.#address(), "_blank", FEATURES);
      if (this.#popup) return;
    }
    const language = this.lang || document.documentElement.lang;
    this.#frame = Object.assign(document.createElement("iframe"), {
      src: this.#address(),
      title: TITLES[language.slice(0, 2)] ?? TITLES.en,
      allow: "clipboard-write",
    });
    this.#frame.addEventListener("load", () => {
      if (this.mode === "inline") this.#post({ type: "size_wanted" });
    });
    if (this.mode === "inline") this.#root.append(this.#frame);
    else this.#openDialog();
  }

  #openDialog() {
    this.#dialog = document.createElement("dialog");
    this.#dialog.append(this.#frame);
    this.#dialog.setAttribute("aria-label", this.#frame.title);
    // Escape and a click beside it ask the page to close, which asks the person when something was typed.
    this.#dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.requestClose();
    });
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.requestClose();
    });
    // Browsers close it at the second Escape whatever anybody says.
    this.#dialog.addEventListener("close", () => this.#end("closed"));
    this.#root.append(this.#dialog);
    this.#dialog.showModal();
  }

  /** Asks the page to close; where it does not answer, it is closed. */
  requestClose() {
    if (!this.isOpen) return;
    if (!this.#isReady || this.#isLinked) this.close();
    else this.#post({ type: "close_wanted" });
  }

  /** Closes it at once. */
  close() { this.#end("closed"); }

  #address() {
    const address = new URL(this.src);
    const given = { lang: this.lang, theme: this.theme, integration: this.integration };
    for (const [name, value] of Object.entries(given)) if (value) address.searchParams.set(name, value);
    return address.href;
  }

  get #window() { return this.#frame?.contentWindow ?? this.#popup; }
  #post(message) { this.#window?.postMessage(message, new URL(this.src).origin); }
  #sendToken() {
    if (this.#isReady && this.sessionToken) this.#post({ type: "session_token", sessionToken: this.sessionToken });
  }

  // Only the window that was opened here is believed, and only while a page of the server stands in it.
  #hear({ source, origin, data }) {
    if (!source || source !== this.#window || origin !== new URL(this.src).origin || !data?.type) return;
    const payload = data.payload ?? {};
    switch (data.type) {
      case "ready":
        this.#isReady = true;
        this.#sendToken();
        this.#tell("ready", {});
        break;
      case "select":
      case "submit":
      case "test":
      case "error":
        this.#isReady = true;
        this.#tell(data.type, payload);
        break;
      case "connect":
        this.#succeed(payload);
        break;
      case "tombolo_proof":
        this.#tell("proof", { authorization: data.authorization, proof: data.proof });
        break;
      case "size":
        if (this.mode === "inline" && Number.isFinite(payload.height)) this.#frame.style.height = `${Math.max(160, payload.height)}px`;
        break;
      case "close":
        this.#end("closed");
        break;
      // The last page of a window that went to the vendor itself.
      case "nango_oauth_callback_success":
        this.#post({ type: "nango_oauth_callback_ack" });
        this.#succeed({ isPending: true });
        break;
      case "nango_oauth_callback_error":
        this.#tell("error", payload);
        break;
    }
  }

  #succeed(detail) {
    this.#isLinked = true;
    this.#tell("success", detail);
    if (this.mode === "inline") return;
    setTimeout(() => { if (this.#isLinked) this.#end("linked"); }, FAREWELL);
  }

  #end(reason) {
    if (!this.isOpen) return;
    window.removeEventListener("message", this.#heard);
    const dialog = this.#dialog;
    this.#popup?.close();
    this.#frame?.remove();
    this.#frame = this.#dialog = this.#popup = undefined;
    this.#isReady = false;
    dialog?.close();
    dialog?.remove();
    this.#tell("exit", { reason: this.#isLinked ? "linked" : reason });
  }

  #tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true })); }
}

/** Why nothing was linked. */
export class ConnectError extends Error {
  constructor(type, message) {
    super(message);
    this.name = "ConnectError";
    this.type = type;
  }
}

/** Opens it over the page, and answers what was linked. `confirm` is given the proof that your back end confirms with. */
export function connect({ confirm, on = {}, signal, ...given }) {
  const element = document.createElement("tombolo-connect");
  for (const name of ["src", "integration", "lang", "theme"]) if (given[name]) element.setAttribute(name, given[name]);
  element.mode = given.mode === "popup" ? "popup" : "dialog";
  element.sessionToken = given.sessionToken;
  return new Promise((resolve, reject) => {
    let last;
    for (const [type, listener] of Object.entries(on)) element.addEventListener(type, ({ detail }) => listener(detail));
    element.addEventListener("proof", ({ detail }) => {
      Promise.resolve(confirm?.(detail)).catch((error) => reject(error));
    });
    element.addEventListener("error", ({ detail }) => { last = detail; });
    element.addEventListener("success", ({ detail }) => resolve(detail));
    element.addEventListener("exit", ({ detail }) => {
      element.remove();
      reject(new ConnectError(last?.errorType ?? "exit", last?.errorMessage ?? `Nothing was linked: ${detail.reason}`));
    });
    signal?.addEventListener("abort", () => element.close(), { once: true });
    document.body.append(element);
    element.open();
  });
}

if (!customElements.get("tombolo-connect")) customElements.define("tombolo-connect", TomboloConnect);
