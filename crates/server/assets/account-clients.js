// OAuth clients: whoever chooses one has chosen the address that it is registered for.

/** Fills the address as a client is chosen. `clear` takes back what is wrong with an input. */
export function choosingClients(sheet, clear) {
  for (const list of sheet.querySelectorAll("select[data-clients]")) {
    const fill = () => {
      const fields = JSON.parse(list.selectedOptions[0]?.dataset.fills ?? "{}");
      for (const [name, value] of Object.entries(fields)) {
        const input = sheet.elements[`c.${name}`];
        if (!input || input.type === "hidden") continue;
        input.value = value;
        clear(input);
        input.dispatchEvent(new Event("input", { bubbles: true }));
      }
    };
    list.addEventListener("change", fill);
    // The one that is chosen beforehand fills what nobody has typed.
    const scheme = list.closest(".scheme")?.querySelector('[name="scheme"]');
    const isEmpty = () => [...sheet.querySelectorAll('input[name^="c."]')].every((input) => !input.value);
    const fillEmpty = () => isEmpty() && fill();
    scheme?.addEventListener("change", fillEmpty);
    if (scheme?.type === "hidden" || scheme?.checked) fillEmpty();
  }
}
