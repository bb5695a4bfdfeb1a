// Tells whoever opened this window how the authorization ended, and closes the window when that was heard. The opener
// learns nothing that it could not read from its socket: which kind of end it was, and in words why.
const end = document.querySelector("[data-end]");
if (window.opener && end) {
  // The names of the messages are those that pages of the compatible API listen for.
  const message =
    end.dataset.end === "success"
      ? { type: "nango_oauth_callback_success" }
      : {
          type: "nango_oauth_callback_error",
          payload: { message: end.dataset.message, errorType: end.dataset.errorType },
        };
  window.addEventListener("message", (event) => {
    if (event.source === window.opener && event.data?.type === "nango_oauth_callback_ack") {
      window.close();
    }
  });
  window.opener.postMessage(message, "*");
}
