// Buttons that show the secret of an input, and hide it again.

export function revealing(place) {
  for (const button of place.querySelectorAll("[data-reveal]")) {
    button.classList.add("ready");
    button.addEventListener("click", () => {
      const input = document.getElementById(button.getAttribute("aria-controls"));
      const shown = input.type === "password";
      input.type = shown ? "text" : "password";
      button.setAttribute("aria-pressed", String(shown));
      button.textContent = shown ? button.dataset.hide : button.dataset.show;
    });
  }
}
