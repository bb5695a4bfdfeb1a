// How somebody presses something: it is brought into the window first, and then it is pressed where it stands.

/** How many pictures a browser makes until it knows where a frame has moved to, and how long it has for them at most. */
const PICTURES = 3;
const PATIENCE = 1000;

/** Presses an element of a page or of a frame in it. */
export async function press(element) {
  await bringIntoView(element);
  await element.click();
}

// As somebody scrolls who wants to press it, and not merely until its edge is in the window. A browser that scrolls for an element
// in a frame of another origin scrolls the pages around some time later, and what was to be pressed moves meanwhile; so every page
// is scrolled by itself. `within` is where an element of a frame stands in it.
async function bringIntoView(element, within) {
  const { frame } = element;
  const isInFrame = Boolean(frame.parentFrame());
  if (!isInFrame && within === undefined) {
    await element.evaluate((one) => one.scrollIntoView({ block: "center", behavior: "instant" }));
    return;
  }
  const [middle, hasMoved] = await element.evaluate((one, within) => {
    const place = () => {
      const { top, height } = one.getBoundingClientRect();
      return within === null ? top + height / 2 : top + one.clientTop + within;
    };
    const before = window.scrollY;
    window.scrollBy({ top: place() - window.innerHeight / 2, behavior: "instant" });
    return [place(), window.scrollY !== before];
  }, within ?? null);
  if (isInFrame) await bringIntoView(await frame.frameElement(), middle);
  else if (hasMoved) await drawn(frame);
}

// Whether a frame is pressed is found out by where the browser has last drawn it, which is not yet where it was scrolled to.
async function drawn(frame) {
  const pictures = frame.evaluate((pictures) => new Promise((done) => {
    const next = (left) => (left ? requestAnimationFrame(() => next(left - 1)) : done());
    next(pictures);
  }), PICTURES);
  // Without a script a page does not tell.
  const patience = new Promise((done) => setTimeout(done, PATIENCE));
  await Promise.race([pictures.catch(() => {}), patience]);
}
