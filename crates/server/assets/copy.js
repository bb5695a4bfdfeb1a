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
  const isInput = source instanceof HTMLInputElement;
  if (isInput) source.select();
  const text = isInput ? source.value : source.textContent;
  if (await written(text)) return true;
  // What is selected is left to the person, should the older way not work either.
  if (!isInput) getSelection().selectAllChildren(source);
  return document.execCommand("copy");
}

/** Copies a text that stands nowhere as it is; answers whether that was possible. */
export async function copyText(text) {
  if (await written(text)) return true;
  const area = Object.assign(document.createElement("textarea"), { value: text, className: "visually-hidden" });
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return isCopied;
}

// In a frame, or on a page without https, only an older way works.
async function written(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
