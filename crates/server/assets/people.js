// What helps on pages to sign in; everything works without it.
import { revealing } from "./reveal.js";

// The secret of a link stands in its fragment, which no server sees. It goes into the form, and out of the address.
const field = document.querySelector("[data-from-address]");
const secret = decoded(location.hash.slice(1));
if (field && secret) {
  const input = field.querySelector("input");
  input.value = secret;
  history.replaceState(null, "", location.pathname + location.search);
}
// Whoever came by the link need not see it; what was refused is shown again.
const isNeeded = !field?.querySelector("input").value || document.querySelector("[role=alert]");
if (isNeeded) field?.classList.add("ready");

revealing(document);

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
