// The window in which a person agrees at the vendor. How it ends is asked of the server: a window that has gone to another
// site may be out of reach, and looks closed then, whether it is or not.
import { copying } from "./copy.js";

const FEATURES = "popup,width=540,height=760";
const PAUSE = 1500;
const PATIENCE = 3000;

/** A window for an account: `page` is what the form lends. Answers a function that begins, to be called in a click. */
export function windowOf(page) {
  const { sheet, main, word, copyOf, tell, relay } = page;
  let current;

  return begin;

  async function begin() {
    // A frame cannot hold the vendor's page; a page of its own goes there itself.
    const popup = page.isFramed ? window.open("about:blank", "_blank", FEATURES) : undefined;
    let begun;
    try {
      const answer = await fetch(sheet.dataset.vendor, {
        method: "POST",
        body: new FormData(sheet),
        headers: { Accept: "application/json" },
        credentials: "omit",
        redirect: "error",
      });
      begun = await answer.json();
    } catch (error) {
      popup?.close();
      throw error;
    }
    if (begun.type === "problem") {
      popup?.close();
      current?.end();
      page.refuse(begun);
    } else if (!page.isFramed) {
      page.leave();
      window.location.assign(begun.location);
    } else {
      current?.end();
      current = wait(begun, popup);
    }
  }

  function wait({ authorization, location }, popup) {
    const panel = copyOf("window");
    const says = panel.querySelector("[data-says]");
    let isOver = false;
    let isWatching = true;
    let relayed;
    let hasTold = false;
    let wake;

    const show = (text) => {
      says.textContent = text;
    };
    const open = (opened) => show(word(opened ? "window-open" : "window-blocked"));
    for (const link of panel.querySelectorAll("[data-tab], [data-here]")) link.href = location;
    panel.querySelector("[data-tab]").addEventListener("click", () => open(true));
    panel.querySelector("[data-again]").addEventListener("click", () => {
      if (isOver) begin().catch(() => show(word("again")));
      else open(window.open(location, "_blank", FEATURES));
    });
    panel.querySelector("[data-back]").addEventListener("click", end);
    elsewhere(panel, page.link());
    window.addEventListener("message", heard);
    main.append(panel);
    main.dataset.waiting = "";
    panel.querySelector("h1").focus();
    if (popup) popup.location.replace(location);
    open(popup);
    watch();
    return { end };

    function end() {
      isWatching = false;
      window.removeEventListener("message", heard);
      panel.remove();
      delete main.dataset.waiting;
    }

    // The window's last page is one of ours. What proves that this browser has finished is passed on for the authorization
    // that was begun here, and for no other: somebody else could have sent the window on another way.
    function heard(event) {
      if (event.origin !== window.location.origin) return;
      const { type, ...told } = event.data ?? {};
      if (type === "tombolo_proof" && told.authorization === authorization) {
        relay({ type, authorization, proof: told.proof });
        relayed = Date.now();
        show(word("window-confirming"));
      }
      if (type === "nango_oauth_callback_success" && isWatching) {
        event.source?.postMessage({ type: "nango_oauth_callback_ack" }, event.origin);
      }
      wake?.();
    }

    async function watch() {
      while (isWatching) {
        const state = await ask().catch(() => ({ state: "open" }));
        if (!isWatching) return;
        if (state.state === "linked") return linked(state);
        if (state.state === "failed") return failed(state);
        if (state.state === "waiting") {
          show(word("window-confirming"));
          relayed ??= Date.now();
          if (!hasTold && Date.now() - relayed > PATIENCE) pending(state);
        }
        await new Promise((resume) => {
          wake = resume;
          setTimeout(resume, relayed ? PAUSE / 3 : PAUSE);
        });
      }
    }

    async function ask() {
      const asked = new FormData();
      for (const name of ["session_token", "lang", "theme"]) asked.set(name, sheet.elements[name].value);
      asked.set("authorization", authorization);
      asked.set("provider", sheet.dataset.provider);
      const answer = await fetch(sheet.dataset.state, { method: "POST", body: asked, credentials: "omit" });
      return answer.json();
    }

    function pending({ connectionId }) {
      hasTold = true;
      tell("connect", { providerConfigKey: main.dataset.key, connectionId, isPending: true });
    }

    function linked(state) {
      if (!hasTold) tell("connect", { providerConfigKey: main.dataset.key, connectionId: state.connectionId });
      end();
      page.celebrate(state);
    }

    function failed({ what, fix, errorType }) {
      isOver = true;
      isWatching = false;
      show(`${what} ${fix}`);
      says.className = "notice bad";
      for (const link of panel.querySelectorAll("[data-tab], [data-here]")) link.hidden = true;
      tell("error", { errorType, errorMessage: what });
    }
  }
}

// The same session on another device: a link to the page by itself.
function elsewhere(panel, link) {
  const input = panel.querySelector("[data-link]");
  if (!input) return;
  input.value = link;
  copying(panel);
}
