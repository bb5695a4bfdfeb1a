// How somebody presses something: it is brought into the window first, and then it is pressed where it stands.

/** Presses an element of a page or of a frame in it. */
export async function press(element) {
  await bringIntoView(element);
  await element.click();
}

// As somebody scrolls who wants to press it, and not merely until its edge is in the window. A browser that scrolls for an element
// in a frame of another origin scrolls the pages around some time later, and what was to be pressed moves meanwhile; so every page
// is scrolled by itself.
async function bringIntoView(element, within) {
  const { frame } = element;
  const isInFrame = Boolean(frame.parentFrame());
  if (!isInFrame && within === undefined) {
    await element.evaluate((one) => one.scrollIntoView({ block: "center", behavior: "instant" }));
    return;
  }
  const middle = await element.evaluate((one, within) => {
    const place = () => {
      const { top, height } = one.getBoundingClientRect();
      return within === null ? top + height / 2 : top + one.clientTop + within;
    };
    window.scrollBy({ top: place() - window.innerHeight / 2, behavior: "instant" });
    return place();
  }, within ?? null);
  if (isInFrame) await bringIntoView(await frame.frameElement(), middle);
}
