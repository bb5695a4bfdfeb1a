// What helps on pages to sign in; everything works without it.

// The secret of a link stands in its fragment, which no server sees. It goes into the form, and out of the address.
const field = document.querySelector("[data-from-address]");
const secret = decodeURIComponent(location.hash.slice(1));
if (field && secret) {
  const input = field.querySelector("input");
  input.value = secret;
  history.replaceState(null, "", location.pathname + location.search);
}
// Whoever came by the link need not see it; what was refused is shown again.
if (field && field.querySelector("input").value && !document.querySelector("[role=alert]")) field.hidden = true;

for (const button of document.querySelectorAll("[data-reveal]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const input = document.getElementById(button.getAttribute("aria-controls"));
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    button.textContent = shown ? button.dataset.hide : button.dataset.show;
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
    button.textContent = button.dataset.copied;
  });
}
