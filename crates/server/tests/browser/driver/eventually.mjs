// Waiting for what will be so. Nothing here sleeps for a time that somebody guessed: a condition is looked at again and again,
// and the test goes on as soon as it holds.
import { setTimeout as pause } from "node:timers/promises";

/** How long a page may take before its test fails. Long, since a machine that runs all tests is slow. */
const PATIENCE = 30_000;

/**
 * The first answer of `look` that is neither empty nor false. A page that is being left while it is looked at is looked at
 * again.
 */
export async function eventually(what, look, patience = PATIENCE) {
  const deadline = Date.now() + patience;
  let reason = "";
  for (;;) {
    try {
      const found = await look();
      if (found) return found;
    } catch (error) {
      if (!isBetweenPages(error)) throw error;
      reason = ` (${error.message})`;
    }
    if (Date.now() > deadline) throw new Error(`${await textOf(what)}: not within ${patience / 1000} s${reason}`);
    await pause(15);
  }
}

/** What is waited for may be described when it did not come, as the page is then. */
const textOf = async (what) => (typeof what === "function" ? what() : what);

// What the browser itself refuses is about a page, or a part of one, that went away meanwhile.
const isBetweenPages = ({ name, message }) =>
  ["ProtocolError", "TargetCloseError"].includes(name) ||
  /context was destroyed|cannot find context|context is not available|detached|disposed|not clickable|same JavaScript world/i.test(message);
