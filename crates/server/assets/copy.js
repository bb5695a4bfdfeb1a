// Buttons that copy what stands beside them: an input or a block of code.

export function copying(place) {
  for (const button of place.querySelectorAll("[data-copy]")) {
    const before = button.textContent;
    button.classList.add("ready");
    button.addEventListener("click", async () => {
      const source = button.parentElement.querySelector("input, code");
      if (!(await copied(source))) return;
      button.textContent = button.dataset.done;
      setTimeout(() => (button.textContent = before), 2000);
    });
  }
}

async function copied(source) {
  if (source instanceof HTMLInputElement) source.select();
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    return true;
  } catch {
    // In a frame, or on a page without https, the older way may still work; else what is selected is left to the person.
    if (!(source instanceof HTMLInputElement)) getSelection().selectAllChildren(source);
    return document.execCommand("copy");
  }
}
