// Tells whoever opened this window how the authorization ended, and closes the window when that was heard.
const end = document.querySelector("[data-end]");
const opener = window.opener;
const show = (selector) => document.querySelector(selector)?.removeAttribute("hidden");
if (end && opener) {
  const { proof, authorization, origins, errorType, message } = end.dataset;
  // What proves that this browser has finished goes to the embedder's own pages alone: the browser delivers it only if the
  // opener is one of these origins at this moment. A page of ours that opened the window passes it on to the page around it,
  // if that is at one of these origins and the window is the one that it opened.
  for (const origin of proof ? [...origins.split(" "), window.location.origin] : []) {
    opener.postMessage({ type: "tombolo_proof", authorization, proof }, origin);
  }
  // The names are those that pages of the compatible API listen for. They work at any origin, and so does this message; it
  // tells nothing that the opener could not read from its socket: which kind of end it was, and in words why.
  const told =
    end.dataset.end === "success"
      ? { type: "nango_oauth_callback_success" }
      : { type: "nango_oauth_callback_error", payload: { message, errorType } };
  window.addEventListener("message", (event) => {
    if (event.source === opener && event.data?.type === "nango_oauth_callback_ack") {
      window.close();
    }
  });
  opener.postMessage(told, "*");
}
show(opener ? "[data-found]" : "[data-lost]");
